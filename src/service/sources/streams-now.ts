import { personalFields } from '../../connectors/avro/personal-fields.js';
import type { RuleStream, TestStream } from '../../rules/index.js';
import type { Settings } from '../../runtime/settings/index.js';
import type { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import { pseudonymsOf } from '../compose/pseudonyms.js';
import { streamIngest } from '../compose/streams/ingest.js';
import { allFacts, makeRegistry, ruleStreamsOf, type StreamFacts } from '../compose/streams/stream-parts.js';
import type { TransactionIngest } from '../transactions/transaction-ingest.js';

type Facts = readonly [StreamFacts, ...StreamFacts[]];

/** The streams of this process as they are now, with all that others look up of them. */
export class StreamsNow {
  /** Only ever grows: what was personal once stays so. */
  readonly personal = new Set<string>();
  /** The same list for whoever holds it. */
  readonly testStreams: TestStream[] = [];
  /** What stands for personal values in alerts; undefined: the values themselves. */
  pseudonyms: Pseudonyms | undefined;
  private current: { readonly settings: Settings; readonly facts: Facts };
  private ingests: ReadonlyMap<string, TransactionIngest | null> = new Map();

  /** Throws as `allFacts` does. */
  constructor(settings: Settings) {
    this.current = { settings, facts: allFacts(settings) };
    this.become(settings);
  }

  get settings(): Settings {
    return this.current.settings;
  }

  get facts(): Facts {
    return this.current.facts;
  }

  get names(): readonly string[] {
    return this.facts.map(({ settings }) => settings.name);
  }

  get ruleStreams(): readonly RuleStream[] {
    return ruleStreamsOf(this.facts);
  }

  ingestOf(name: string): TransactionIngest | null | undefined {
    return this.ingests.get(name);
  }

  /** Throws as `allFacts` does, and changes nothing then. */
  become(settings: Settings): void {
    const facts = allFacts(settings);
    const registry = makeRegistry(settings);
    this.ingests = new Map(facts.map(({ settings: own, avro }) => [own.name, streamIngest(own, avro, registry)]));
    this.current = { settings, facts };
    for (const { avro } of facts) for (const field of personalFields(avro)) this.personal.add(field);
    const tested = facts.map(({ settings: { name, id, time, type }, schema }) => {
      return { name, schema, idField: id, timeField: time, typeField: type } as TestStream;
    });
    this.pseudonyms = pseudonymsOf(
      settings,
      facts.map(({ avro }) => avro),
    );
    this.testStreams.splice(0, this.testStreams.length, ...tested);
  }
}
