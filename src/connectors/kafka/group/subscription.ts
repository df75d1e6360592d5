/** Which topics a member wants, and whether that changed since it last joined. */
import type { TopicInfo, TopicSelection } from '../../../runtime/ports/log.js';
import type { Cluster } from '../client/cluster.js';

export class Subscription {
  readonly #selection: TopicSelection;
  #topics: readonly TopicInfo[] = [];
  #atStart: ReadonlyMap<string, number> | null = null;

  constructor(
    private readonly cluster: Cluster,
    selection: TopicSelection,
  ) {
    this.#selection = 'names' in selection ? selection : { pattern: whole(selection.pattern) };
  }

  get names(): string[] {
    return this.#topics.map((t) => t.name);
  }

  /** False while a topic that is wanted by its name is not there yet. */
  get isComplete(): boolean {
    return 'pattern' in this.#selection || this.#topics.length === this.#selection.names.length;
  }

  /** Equal as long as the topics and their numbers of partitions are. */
  get fingerprint(): string {
    return this.#topics.map((t) => `${t.name}:${t.partitions}`).join(',');
  }

  /** Asks the cluster. True when the fingerprint is another one. */
  async refresh(): Promise<boolean> {
    const before = this.fingerprint;
    this.#topics = [...(await this.#find())].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#atStart ??= new Map(this.#topics.map((t) => [t.name, t.partitions]));
    return this.fingerprint !== before;
  }

  /** Made while this member was running: whatever is in it has never been seen, wherever new groups begin. */
  isNew(topic: string, partition: number): boolean {
    return partition >= (this.#atStart?.get(topic) ?? 0);
  }

  async #find(): Promise<TopicInfo[]> {
    const selection = this.#selection;
    if ('pattern' in selection) {
      await this.cluster.refresh(null);
      return this.cluster.userTopics().filter((t) => selection.pattern.test(t.name));
    }
    await this.cluster.refresh(selection.names);
    return selection.names.flatMap((name) => {
      const topic = this.cluster.topic(name);
      return topic === undefined ? [] : [{ name, partitions: topic.leaders.length }];
    });
  }
}

/** Whole names, and without the flags that make an expression remember where it was. */
function whole(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''));
}
