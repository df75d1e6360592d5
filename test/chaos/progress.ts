import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../src/runtime/ports/log.js';

const POLL_MS = 200;

/** How long partitions go without a commit of their group while records keep coming. */
export class Progress {
  /** Offsets and the time since which they stand, by partition. */
  private readonly standing = new Map<string, { readonly offset: number; readonly since: number }>();
  private longestMs = 0;
  private running = true;
  private readonly done: Promise<void>;

  constructor(
    private readonly log: Log,
    private readonly groupId: string,
  ) {
    this.done = this.run();
  }

  /** The longest time that one partition stood still since the last call, in ms. */
  takeLongest(): number {
    const now = performance.now();
    const open = [...this.standing.values()].map(({ since }) => now - since);
    const longest = Math.max(this.longestMs, ...open);
    this.longestMs = 0;
    return longest;
  }

  offsets(): string {
    return [...this.standing].map(([name, { offset }]) => `${name}=${offset}`).join(' ');
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
  }

  private async run(): Promise<void> {
    while (this.running) {
      const committed = await this.log.committed(this.groupId).catch(() => new Map<string, number>());
      const now = performance.now();
      for (const [name, offset] of committed) {
        const before = this.standing.get(name);
        if (before?.offset === offset) continue;
        if (before !== undefined) this.longestMs = Math.max(this.longestMs, now - before.since);
        this.standing.set(name, { offset, since: now });
      }
      await sleep(POLL_MS);
    }
  }
}
