import { decodeEnvelope } from '../repartition/envelope.js';
import type { StreamDefinition } from '../stream.js';

/** The streams of which a task gets events: its own, or all that are forwarded to it. */
export class TaskStreams {
  constructor(
    private readonly first: StreamDefinition,
    private readonly all: readonly StreamDefinition[] = [],
    /** Those of the rules in force go before: the journal says what fields meant. */
    private readonly inForce: () => readonly StreamDefinition[] | undefined = () => undefined,
  ) {}

  get own(): StreamDefinition {
    const { first } = this;
    return this.inForce()?.find(({ name }) => name === first.name) ?? first;
  }

  /** Nothing: as records were forwarded that name no stream. */
  named(name: string | null | undefined): StreamDefinition {
    const { own, all } = this;
    if (name === null || name === undefined || name === own.name) return own;
    const isNamed = (stream: StreamDefinition): boolean => stream.name === name;
    return this.inForce()?.find(isNamed) ?? all.find(isNamed) ?? own;
  }

  /** The stream of the event that a record holds. */
  ofRecord(raw: Uint8Array, isForwarded: boolean): StreamDefinition {
    return isForwarded ? this.named(decodeEnvelope(raw)?.stream) : this.own;
  }

  kindParents(names: readonly string[]): ReadonlyMap<string, string> {
    return new Map(names.flatMap((name) => [...this.named(name).kindParents]));
  }
}
