import { keysBy } from '../../rules/key-of.js';
import type { RuleSetVersion } from '../journal/rule-set-version.js';
import { topicFilter } from '../local-log/topic-filter.js';
import {
  type AssignedPartition,
  type Log,
  type OutgoingRecord,
  partitionName,
  type TopicInfo,
  type TopicPartition,
  type TopicSelection,
  type TopicSpec,
} from '../ports/log.js';
import { Forwarder } from '../repartition/forwarder.js';
import { longestWindow, type Route } from '../repartition/route.js';
import type { StreamDefinition } from '../stream.js';

/** The rules of a lane. */
export interface LaneRules {
  /** Run where the records of the first stream are read. */
  readonly source: RuleSetVersion;
  /** Run where the records of other streams are read; by the stream's name. */
  readonly others?: ReadonlyMap<string, RuleSetVersion>;
  /** Keyed otherwise than their stream, or over several: one for each topic. */
  readonly routes: readonly Route[];
  /** Rules of another key run where the records are read: refused while the source has several partitions. */
  readonly needsOnePartition?: boolean;
}

/** A stream and the topics that it is read from. */
export interface ReadStream {
  readonly definition: StreamDefinition;
  readonly topics: TopicSelection;
}

/** Which topics a lane reads, which rules run on each, and where events are forwarded to. */
export class Routing {
  private topics: readonly TopicInfo[] = [];
  private horizonMs = 0;
  private names: ReadonlySet<string> = new Set();
  private paused: ReadonlySet<string> = new Set();
  private readonly filters: readonly ((topic: string) => boolean)[];

  /** `streams`: in the order of the settings; there is one. */
  constructor(
    private readonly streams: readonly ReadStream[],
    private rules: LaneRules,
  ) {
    this.filters = streams.map(({ topics }) => topicFilter(topics));
    this.setRules(rules);
  }

  get current(): LaneRules {
    return this.rules;
  }

  get routes(): readonly Route[] {
    return this.rules.routes;
  }

  /** Says whether other topics are read from now on. */
  setRules(rules: LaneRules): boolean {
    const before = [...this.names].sort().join(' ');
    this.rules = rules;
    this.horizonMs = longestWindow(rules.routes.map(({ ruleSet }) => ruleSet));
    this.names = new Set(rules.routes.map(({ topic }) => topic.name));
    return [...this.names].sort().join(' ') !== before;
  }

  private isRouted(topic: string): boolean {
    return this.names.has(topic);
  }

  /** Routes that these rules have and those of now have not. */
  addedBy(rules: LaneRules): readonly Route[] {
    return rules.routes.filter(({ topic }) => !this.isRouted(topic.name));
  }

  /** Makes the topics of routes where they are not there, and takes in what the log has then. */
  async makeTopics(log: Pick<Log, 'createTopic' | 'topics'>, routes: readonly Route[]): Promise<void> {
    for (const { topic } of routes) await log.createTopic(topic);
    this.know(await log.topics());
  }

  /** What the log has now. */
  know(topics: readonly TopicInfo[]): void {
    this.topics = topics;
  }

  /** Streams with these names are not read from now on; the others are. Says whether that is news. */
  pause(names: readonly string[]): boolean {
    const paused = [...names].sort().join(' ');
    const isNews = paused !== [...this.paused].sort().join(' ');
    this.paused = new Set(names);
    return isNews;
  }

  /** The sources that are not paused, and events keyed otherwise; `null`: nothing. */
  selection(): TopicSelection | null {
    const names = this.routes.map(({ topic }) => topic.name);
    const read = this.streams.filter(({ definition }) => !this.paused.has(definition.name));
    const selections = read.map(({ topics }) => topics);
    const named = [...selections.flatMap((topics) => ('names' in topics ? topics.names : [])), ...names];
    const patterns = selections.flatMap((topics) => ('pattern' in topics ? topics.pattern : []));
    if (patterns.length === 0) return named.length === 0 ? null : { names: named };
    if (named.length === 0 && patterns.length === 1) return { pattern: patterns[0]! };
    const literal = named.map((name) => name.replaceAll('.', '\\.'));
    const parts = [...patterns.map(({ source }) => `(?:${source})`), ...literal];
    return { pattern: new RegExp(`^(?:${parts.join('|')})$`, patterns[0]!.flags) };
  }

  rulesOf(topic: string): RuleSetVersion {
    const route = this.routeOf(topic);
    if (route !== undefined) return route.ruleSet;
    const { source, others } = this.rules;
    const { name } = this.streamOf(topic);
    if (name === this.streams[0]!.definition.name) return source;
    const own = others?.get(name);
    if (own === undefined) throw new Error(`there are no rules for the stream ${name}, not even none`);
    return own;
  }

  /** The stream of a topic; of one that events are forwarded to, the first that they are of. */
  streamOf(topic: string): StreamDefinition {
    const first = this.streams[0]!.definition;
    const route = this.routeOf(topic);
    if (route === undefined) return this.streams[this.filters.findIndex((fits) => fits(topic))]?.definition ?? first;
    const [name] = route.streams ?? [];
    return this.streams.find(({ definition }) => definition.name === name)?.definition ?? first;
  }

  /** What was forwarded is read from its begin, wherever reading of the source begins. */
  begun(partition: AssignedPartition): AssignedPartition {
    if (partition.committed !== null || !this.isRouted(partition.topic)) return partition;
    return { ...partition, position: partition.beginOffset };
  }

  partitionsOf({ name, partitions }: TopicSpec): number {
    return this.topics.find((topic) => topic.name === name)?.partitions ?? partitions;
  }

  /** Of a topic that events are forwarded to. */
  partitionsOfTopic(name: string): number {
    return this.partitionsOf(this.routeOf(name)!.topic);
  }

  /** `null`: nothing of this partition is forwarded. `send`: writes in the transaction of the offsets that follow. */
  forwarder(of: TopicPartition, send: (from: string, record: OutgoingRecord) => void): Forwarder | null {
    const own = this.routeOf(of.topic);
    const { name: stream, hasEnded = false } = this.streamOf(of.topic);
    const routes = this.routes.filter(({ from, streams }) =>
      own === undefined ? from === undefined && streams?.includes(stream) !== false : from === of.topic,
    );
    if (routes.length === 0) return null;
    const sources = this.topics.filter(({ name }) => (own === undefined ? this.isOf(name, stream) : name === of.topic));
    const from = partitionName(of);
    return new Forwarder({
      from: { topic: of.topic, partition: of.partition },
      ...(own === undefined ? { stream } : { stream: '', passesOn: true }),
      of: sources.reduce((sum, { partitions }) => sum + partitions, 0),
      targets: routes.map(({ field, keyBy, topic, streams, ruleSet }) => ({
        keysOf: keysBy(keyBy ?? { form: 'one', field }),
        topic: topic.name,
        partitions: this.partitionsOf(topic),
        passesOn: ruleSet.counts !== undefined,
        ...(own !== undefined && streams !== undefined && { streams: new Set(streams) }),
      })),
      // Nobody waits for what is not to come.
      horizonMs: own === undefined && hasEnded ? 0 : this.horizonMs,
      send: (record) => send(from, record),
    });
  }

  /** Whether a topic is one of the stream's own. */
  private isOf(topic: string, stream: string): boolean {
    const isRead = this.filters.some((fits) => fits(topic));
    return isRead && !this.isRouted(topic) && this.streamOf(topic).name === stream;
  }

  private routeOf(topic: string): Route | undefined {
    return this.routes.find((route) => route.topic.name === topic);
  }
}
