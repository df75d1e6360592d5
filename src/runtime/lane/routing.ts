import type { RuleSetVersion } from '../journal/rule-set-version.js';
import { topicFilter } from '../local-log/topic-filter.js';
import {
  type AssignedPartition,
  type OutgoingRecord,
  partitionName,
  type TopicInfo,
  type TopicPartition,
  type TopicSelection,
  type TopicSpec,
} from '../ports/log.js';
import { Forwarder } from '../repartition/forwarder.js';
import { longestWindow, type Route } from '../repartition/route.js';

/** The rules of a lane. */
export interface LaneRules {
  /** Run where the records are read. */
  readonly source: RuleSetVersion;
  /** Keyed by other fields than the source is, one for each. */
  readonly routes: readonly Route[];
  /** Rules of another key run where the records are read: refused while the source has several partitions. */
  readonly needsOnePartition?: boolean;
}

/** Which topics a lane reads, which rules run on each, and where events are forwarded to. */
export class Routing {
  private topics: readonly TopicInfo[] = [];
  private horizonMs = 0;
  private names: ReadonlySet<string> = new Set();

  constructor(
    private readonly source: TopicSelection,
    private rules: LaneRules,
  ) {
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

  /** What the log has now. */
  know(topics: readonly TopicInfo[]): void {
    this.topics = topics;
  }

  /** The source, and its events keyed otherwise. */
  selection(): TopicSelection {
    const { source, routes } = this;
    const names = routes.map(({ topic }) => topic.name);
    if (names.length === 0) return source;
    if ('names' in source) return { names: [...source.names, ...names] };
    const literal = names.map((name) => name.replaceAll('.', '\\.'));
    return {
      pattern: new RegExp(`^(?:${[`(?:${source.pattern.source})`, ...literal].join('|')})$`, source.pattern.flags),
    };
  }

  rulesOf(topic: string): RuleSetVersion {
    return this.routes.find((route) => route.topic.name === topic)?.ruleSet ?? this.rules.source;
  }

  /** What was forwarded is read from its begin, wherever reading of the source begins. */
  begun(partition: AssignedPartition): AssignedPartition {
    if (partition.committed !== null || !this.isRouted(partition.topic)) return partition;
    return { ...partition, position: partition.beginOffset };
  }

  partitionsOf({ name, partitions }: TopicSpec): number {
    return this.topics.find((topic) => topic.name === name)?.partitions ?? partitions;
  }

  /** `null`: nothing of this partition is forwarded. `send`: writes in the transaction of the offsets that follow. */
  forwarder(of: TopicPartition, send: (from: string, record: OutgoingRecord) => void): Forwarder | null {
    const { routes, horizonMs } = this;
    if (routes.length === 0 || this.isRouted(of.topic)) return null;
    const isSource = topicFilter(this.source);
    const sources = this.topics.filter(({ name }) => isSource(name) && !this.isRouted(name));
    const from = partitionName(of);
    return new Forwarder({
      from: { topic: of.topic, partition: of.partition },
      of: sources.reduce((sum, { partitions }) => sum + partitions, 0),
      targets: routes.map(({ field, topic }) => ({ field, topic: topic.name, partitions: this.partitionsOf(topic) })),
      horizonMs,
      send: (record) => send(from, record),
    });
  }
}
