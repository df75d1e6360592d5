import { isChunk } from '../../../src/runtime/chunked/split-format.js';
import type { DeliveryMode } from '../../../src/runtime/lane/commit/delivery.js';
import { MemoryLog } from '../../../src/runtime/memory/memory-log.js';
import { MemoryObjectStore } from '../../../src/runtime/memory/memory-object-store.js';
import { Chance } from './chance.js';
import { type ChaosEvent, FINE, Tally, type Weather, weatherOf } from './faults.js';
import { Host, Life } from './host.js';
import { Invariants } from './invariants.js';
import type { LaneSettings } from './scene.js';
import { type MakeScene, oneStream, type Scene, type SceneRules } from './scene.js';
import { SimClock } from './sim-clock.js';
import { SimDisk } from './sim-disk.js';
import type { SimProcess, Surroundings } from './sim-process.js';
import type { Arrival } from './source.js';

export type SimulatedDelivery = DeliveryMode | 'switching';

export interface WorldOptions {
  readonly seed: number;
  readonly delivery: SimulatedDelivery;
  /** Absent: one stream, with rules that change. */
  readonly scene?: MakeScene;
  /** Nothing goes wrong, one process runs all the time with this one of the rule sets, and no clock is moved. */
  readonly uninterrupted?: number;
  /** Called with what happens, in words. */
  readonly trace?: (text: string) => void;
}

/** A coordinator gives up a member that it has not heard of for so long. */
const SESSION_MS = 200;
/** Nothing bad happens after this. */
const CALM_MS = 1800;
/** Longer than anything that a lane waits for by itself. */
const QUIET_MS = 1300;
const STEPS_MAX = 20_000;
const HOSTS = 3;
const DELIVERIES: readonly DeliveryMode[] = ['exactly-once', 'at-least-once'];

/**
 * Machines with processes of one group, their log and their disks; records that come, and what goes wrong. After `CALM_MS`
 * nothing goes wrong any more, and it runs on until nothing is left to do.
 */
export class SimWorld implements Surroundings {
  readonly clock = new SimClock();
  readonly tally = new Tally();
  readonly chance: Chance;
  readonly log: MemoryLog;
  private readonly objects = new MemoryObjectStore();
  readonly invariants = new Invariants();
  readonly scene: Scene;
  weather: Weather;
  version: number;
  private readonly hosts: readonly Host[];
  private settings: LaneSettings;
  private readonly arrivals: readonly Arrival[];
  private readonly ends = new Map<string, number>();
  private readonly cutUntil = new Map<SimProcess, number>();
  private awayUntil = 0;
  private lastChange = 0;

  constructor(private readonly options: WorldOptions) {
    const chance = new Chance(options.seed);
    this.scene = (options.scene ?? oneStream)(chance);
    this.settings = this.scene.settings;
    this.log = new MemoryLog({
      ...{ clock: this.clock, batchRecordsMax: chance.pick([1, 3, 20]), offsetGaps: chance.happens(0.5) },
    });
    this.arrivals = this.scene.arrivals(chance);
    this.version = this.anyVersion(chance);
    this.weather = weatherOf(chance);
    const disk = () =>
      new SimDisk((partition, batch) => {
        this.invariants.beforeWrite(partition, batch);
        if (batch.puts.some(({ value }) => isChunk(value))) this.tally.add('state written in chunks');
      });
    this.hosts = Array.from({ length: HOSTS }, (_, i) => new Host(`host${i}`, disk()));
    this.chance = chance.fork();
    if (options.uninterrupted === undefined) return;
    this.version = options.uninterrupted;
    this.weather = FINE;
    this.settings = { ...this.settings, idleAfterMs: 0 };
  }

  /** Throws when it comes to no end. */
  async run(): Promise<void> {
    for (const topic of this.scene.topics) await this.log.createTopic(topic);
    await this.feed();
    const hosts = this.options.uninterrupted === undefined ? this.chance.between(1, 2) : 1;
    for (const host of this.hosts.slice(0, hosts)) this.start(host);
    this.scheduleEvent();
    this.clock.schedule(CALM_MS, () => this.calm());
    await this.clock
      .run(() => this.isQuiet(), STEPS_MAX)
      .catch((error: unknown) => {
        throw new Error(`${String(error)}: ${this.situation()}`);
      });
    let left = 0;
    for (const { life } of this.hosts) {
      if (life === null) continue;
      left++;
      life.stopping = true;
      void life.lane.stop().finally(() => left--);
    }
    await this.clock.run(() => left === 0, STEPS_MAX);
  }

  trace(who: string, text: string): void {
    this.options.trace?.(`${String(Math.round(this.clock.now())).padStart(5)} ${who.padEnd(9)} ${text}`);
  }

  async reachable(from: SimProcess): Promise<void> {
    for (;;) {
      const until = Math.max(this.awayUntil, this.cutUntil.get(from) ?? 0);
      const now = this.clock.now();
      if (until <= now) return;
      await this.clock.pause(until - now);
    }
  }

  // ---- records --------------------------------------------------------------------------------------------------------

  private async feed(): Promise<void> {
    const producer = await this.log.producer();
    let left = this.arrivals.length;
    for (const { atMs, record } of this.arrivals) {
      this.clock.schedule(atMs, () => {
        void producer.send([record]).then(async () => {
          this.trace('source', `${new TextDecoder().decode(record.value ?? undefined)} to ${record.partition}`);
          if (--left === 0) await this.readEnds(this.scene.topics.map(({ name }) => name));
        });
      });
    }
  }

  private async readEnds(names: readonly string[]): Promise<void> {
    for (const { name, partitions } of await this.log.topics()) {
      if (!names.includes(name)) continue;
      for (let partition = 0; partition < partitions; partition++) {
        const { end } = await this.log.offsets({ topic: name, partition });
        this.ends.set(`${name}-${partition}`, end);
      }
    }
  }

  private isQuiet(): boolean {
    const now = this.clock.now();
    if (now < CALM_MS || now - this.lastChange < QUIET_MS || this.ends.size === 0) return false;
    for (const [name, end] of this.ends) if ((this.invariants.committed.get(name) ?? 0) < end) return false;
    return this.hosts.every(
      ({ life }) => life === null || !(life.process.frozen || life.process.dead || life.stopping),
    );
  }

  /** For who wants to know why it does not end. */
  private situation(): string {
    const hosts = this.hosts.map(({ name, life }) => {
      if (life === null) return `${name} off`;
      const { process, stopping, lane } = life;
      const { phase, trouble, partitions } = lane.status();
      const held = partitions.map((p) => `${p.topic}-${p.partition} at ${p.position} of ${p.endOffset} ${p.phase}`);
      return [
        name,
        phase,
        trouble ?? '',
        process.dead && 'dead',
        process.frozen && 'frozen',
        stopping && 'stopping',
        held,
      ]
        .filter(Boolean)
        .join(' ');
    });
    const show = (map: ReadonlyMap<string, number>): string => JSON.stringify([...map]);
    return `${hosts.join('; ')}; committed ${show(this.invariants.committed)} of ${show(this.ends)}`;
  }

  private anyVersion(chance: Chance): number {
    return chance.between(0, this.scene.versions.length - 1);
  }

  private get rules(): SceneRules {
    return this.scene.versions[this.version]!;
  }

  // ---- processes ------------------------------------------------------------------------------------------------------

  private get lives(): Life[] {
    return this.hosts.flatMap(({ life }) => (life === null || life.process.dead || life.stopping ? [] : [life]));
  }

  private start(host: Host): void {
    if (host.life !== null) return;
    const { chance } = this;
    const { delivery } = this.options;
    const mode = delivery === 'switching' ? chance.pick(DELIVERIES) : delivery;
    const on = {
      log: this.log,
      objects: this.objects,
      settings: this.settings,
      scene: this.scene,
      inspect: (...commit: Parameters<Invariants['afterCommit']>) => {
        this.lastChange = this.clock.now();
        this.invariants.afterCommit(...commit);
        // Before the last record was sent, nothing ends.
        if (this.scene.routed.length > 0 && this.ends.size > 0) void this.readEnds(this.scene.routed);
      },
    };
    const life = new Life(host, ++host.lives, this, on, this.rules, mode, (failed, why) => this.failed(failed, why));
    host.life = life;
    this.tally.add('processes');
    life.process.onSessionLost = () => life.expire();
    life.process.onRebalance = () => this.disturb();
    life.process.onStill = () => this.still(life);
  }

  /** The process died or stands still. */
  private still(life: Life): void {
    const { clock, chance, tally } = this;
    clock.schedule(chance.happens(0.3) ? 0 : SESSION_MS, () => {
      if (!life.process.dead && !life.process.frozen) return;
      tally.add(life.process.dead ? 'session of a dead process ends' : 'session of a frozen process ends');
      life.expire();
    });
    if (!life.process.dead) return;
    // What was stopped does not come back by itself.
    if (life.stopping) life.host.life = null;
    else
      clock.schedule(chance.between(10, 400), () => {
        life.host.life = null;
        this.start(life.host);
      });
  }

  private failed(life: Life, why: string): void {
    life.process.trace(`failed: ${why}`);
    // A copy that cannot be had in time ends a start as a disk error does.
    const isDue = life.process.fatalFaults > 0 || why.startsWith('given up after');
    if (!isDue) this.invariants.problems.push(`${life.process.name} failed: ${why}`);
    this.tally.add('lanes failed');
    this.clock.schedule(20, () => life.process.crash());
  }

  private stop(life: Life): void {
    life.stopping = true;
    life.process.trace('is asked to stop');
    void life.lane.stop().then(() => life.process.crash());
  }

  /** Members come or go. */
  private disturb(): void {
    const free = this.hosts.find(({ life }) => life === null);
    if (free !== undefined) this.start(free);
    else if (this.lives.length > 1) this.stop(this.chance.pick(this.lives));
  }

  // ---- what goes wrong ------------------------------------------------------------------------------------------------

  private scheduleEvent(): void {
    const { chance, clock, weather } = this;
    if (weather.events.length === 0) return;
    clock.schedule(chance.between(1, weather.eventEveryMs), () => {
      if (clock.now() >= CALM_MS) return;
      this.event(chance.pick(weather.events));
      this.scheduleEvent();
    });
  }

  private event(event: ChaosEvent): void {
    const { lives, chance } = this;
    if (lives.length === 0 && event !== 'another process' && event !== 'other rules') return;
    this.tally.add(`event: ${event}`);
    this.trace('world', event);
    this.actions[event](chance.pick(lives));
  }

  /** What is done to one of the processes. */
  private readonly actions: Readonly<Record<ChaosEvent, (life: Life) => void>> = {
    crash: ({ process }) => process.crash(),
    freeze: ({ process }) => process.freeze(),
    'stop in good order': (life) => {
      if (this.lives.length > 1) this.stop(life);
    },
    'another process': () => this.disturb(),
    'session lost': (life) => life.expire(),
    'network cut': (life) => this.cut(life, this.chance.pick([50, 300, 900])),
    'log stalled': () => this.stall(this.chance.pick([50, 400, 1200])),
    'clock jumps ahead': ({ process }) => process.jump(this.chance.pick([100, 700, 3_600_000])),
    'clock jumps back': ({ process }) => process.jump(-this.chance.pick([100, 700, 3_600_000])),
    'disk lost': ({ process, host }) => {
      process.crash();
      host.disk.lose();
    },
    'older disk': ({ process, host }) => {
      process.crash();
      host.disk.goBack(this.chance);
    },
    'other rules': () => {
      this.version = this.anyVersion(this.chance);
    },
    'other rules while it runs': (life) => {
      this.version = this.anyVersion(this.chance);
      for (const one of this.chance.happens(0.5) ? this.lives : [life]) one.setRules(this.rules);
    },
    'delivery switched': ({ lane }) => {
      if (this.options.delivery === 'switching') lane.setDelivery(this.chance.pick(DELIVERIES));
    },
  };

  private cut(life: Life, ms: number): void {
    const until = this.clock.now() + ms;
    this.cutUntil.set(life.process, until);
    this.clock.schedule(SESSION_MS, () => {
      if ((this.cutUntil.get(life.process) ?? 0) > this.clock.now()) life.expire();
    });
  }

  private stall(ms: number): void {
    this.awayUntil = Math.max(this.awayUntil, this.clock.now() + ms);
    if (!this.chance.happens(0.5)) return;
    const members = this.lives.flatMap((life) => life.log.members);
    for (const member of members) member.tell(new Error('no broker answers'));
    this.clock.schedule(ms, () => {
      for (const member of members) member.tell(null);
    });
  }

  private calm(): void {
    this.trace('world', 'nothing goes wrong any more');
    this.weather = FINE;
    this.awayUntil = 0;
    this.cutUntil.clear();
    this.lastChange = this.clock.now();
    const wake = () => {
      if (this.hosts.every(({ life }) => life === null)) this.start(this.hosts[0]!);
    };
    wake();
    // The last of them may be on its way out.
    for (const ms of [500, 1000, 2000]) this.clock.schedule(ms, wake);
  }
}
