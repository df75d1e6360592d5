import type { Settings, SinkSettings } from '../../runtime/settings/index.js';
import type { AlertSinkFollower } from '../../runtime/sinks/alert-sink-follower.js';

export interface SinkSetOptions {
  /** Those that run; the same list for whoever holds it. */
  readonly followers: AlertSinkFollower[];
  /** Those of the settings by which `followers` were made. */
  readonly sinks: Settings['sinks'];
  /** Nothing is connected yet. */
  readonly make: (name: string, sink: SinkSettings) => Promise<AlertSinkFollower>;
  /** Resolves when it is known whether it is to begin paused. */
  readonly isPaused: (name: string) => Promise<boolean>;
}

/** The sinks of this process, as they are registered, changed and taken away. A sink goes on from where the one of its name had come. */
export class SinkSet {
  private sinks: Settings['sinks'];
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly options: SinkSetOptions) {
    this.sinks = options.sinks;
  }

  /** One change after the other. Rejects when a sink cannot be made; the others are as they should be. */
  become(sinks: Settings['sinks']): Promise<void> {
    const done = this.last.then(() => this.change(sinks));
    this.last = done.catch(() => undefined);
    return done;
  }

  private async change(sinks: Settings['sinks']): Promise<void> {
    const before = this.sinks;
    const names = [...new Set([...Object.keys(before), ...Object.keys(sinks)])];
    const isOther = (name: string): boolean => JSON.stringify(before[name]) !== JSON.stringify(sinks[name]);
    const troubles: unknown[] = [];
    for (const name of names.filter(isOther)) await this.replace(name, sinks[name]).catch((e) => troubles.push(e));
    this.sinks = sinks;
    if (troubles.length > 0) throw troubles[0];
  }

  private async replace(name: string, sink: SinkSettings | undefined): Promise<void> {
    const { followers, make, isPaused } = this.options;
    const next = sink === undefined ? null : await make(name, sink);
    const place = followers.findIndex((follower) => follower.name === name);
    await followers[place]?.stop();
    if (next !== null) next.start(isPaused(name));
    if (place < 0 && next !== null) followers.push(next);
    else if (place >= 0) followers.splice(place, 1, ...(next === null ? [] : [next]));
  }
}
