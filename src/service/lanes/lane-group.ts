import type { MessagePort } from 'node:worker_threads';
import type { Rule } from '../../rules/rule.js';
import { pause } from '../../runtime/backoff.js';
import type {
  Consideration,
  Detector,
  DetectorListener,
  DetectorPhase,
  DetectorStatus,
  Elsewhere,
  Question,
} from '../../runtime/detector.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { TopicPartition } from '../../runtime/ports/log.js';
import type { StateStore } from '../../runtime/ports/state-store.js';
import type { RuleSource } from '../compose/rules/running-rules.js';
import { LaneThread } from './lane-thread.js';
import type { RestartOptions } from './restart-policy.js';
import type { LaneHandle } from './spawn-lane.js';
import { StateServer } from './state/state-server.js';
import { emptyStatus, sumStatuses } from './sum-statuses.js';

export interface LaneGroupOptions {
  /** How many lanes there shall be; asked at the start, and again while it throws. */
  readonly lanes: () => Promise<number>;
  /** Starts the thread of a lane with these rules. */
  readonly spawn: (number: number, statePort: MessagePort, running: Running) => LaneHandle;
  /** How alerts are delivered until `setDelivery`. */
  readonly delivery: DeliveryMode;
  /** The rules that the lanes run until `changeRules`, and what they were compiled from. */
  readonly rules: readonly Rule[];
  readonly sources: readonly RuleSource[];
  /** What they ask until `changeLists`. */
  readonly lists: ReferenceLists['data'];
  /** Names of streams that are not read until `pauseStreams`. */
  readonly paused?: readonly string[];
  readonly store: StateStore;
  readonly clock: Clock;
  /** Of lanes that end. */
  readonly restart: RestartOptions;
  readonly listener: DetectorListener;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** What lanes that are started now have from the start. */
export interface Running {
  readonly sources: readonly RuleSource[];
  readonly lists: ReferenceLists['data'];
  /** Names of streams that are not read. */
  readonly paused: readonly string[];
}

const RETRY_MS = 1000;
/** Threads that say nothing are looked for this often. */
const LOOK_MS = 5000;

/**
 * Lanes in threads of their own, as one detector. Each is a full member of the consumer group; the main thread only hears of what
 * they do, and keeps the state store.
 *
 * 1. Until every lane has started once it is `starting`. After that it is `running` while all of them are, else `degraded`: a lane
 *    that ended is started again, and the others take its partitions meanwhile.
 * 2. It is `failed` when one lane ended too often (`RestartPolicy`), or cannot be made at all. The others go on: whoever watches
 *    the process ends it in good order.
 * 3. The events of one lane are told in order; those of different lanes are of different partitions, and in no order.
 */
export class LaneGroup implements Detector {
  private threads: readonly LaneThread[] = [];
  private readonly states: StateServer;
  private mode: DeliveryMode;
  private running: Running & { readonly rules: readonly Rule[] };
  private stage: 'created' | 'starting' | 'started' | 'stopping' | 'stopped' = 'created';
  private stopped: Promise<void> | null = null;
  private failure: string | null = null;
  /** Why the number of lanes is not known yet. */
  private waitingFor: string | null = null;
  private told: { readonly phase: DetectorPhase; readonly trouble: string | null } = {
    phase: 'created',
    trouble: null,
  };
  private cancelLook: () => void = () => undefined;
  private readonly abort = new AbortController();

  constructor(private readonly options: LaneGroupOptions) {
    this.states = new StateServer(options.store);
    this.mode = options.delivery;
    const { rules, sources, lists, paused } = options;
    this.running = { rules, sources, lists, paused: paused ?? [] };
  }

  async start(): Promise<void> {
    this.stage = 'starting';
    this.refresh();
    const count = await this.laneCount();
    if (this.abort.signal.aborted) throw new Error('stopped before it had started');
    this.options.report(`detection runs in ${count} ${count === 1 ? 'thread' : 'threads'} beside the main one`);
    this.threads = Array.from({ length: count }, (_, number) => this.thread(number));
    this.look();
    await Promise.all(this.threads.map((thread) => thread.start()));
    if (this.stage === 'starting') this.stage = 'started';
    this.refresh();
  }

  /** Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  status(): DetectorStatus {
    const sum = this.threads.map((thread) => thread.status()).reduce(sumStatuses, emptyStatus('created'));
    const { phase, trouble } = this.present();
    return { ...sum, phase, trouble };
  }

  rules(): readonly Rule[] {
    return this.running.rules;
  }

  async changeRules(sources: readonly RuleSource[], rules: readonly Rule[]): Promise<void> {
    this.running = { ...this.running, sources, rules };
    for (const thread of this.threads) thread.changeRules(sources);
  }

  async changeLists(lists: ReferenceLists['data']): Promise<void> {
    this.running = { ...this.running, lists };
    for (const thread of this.threads) thread.changeLists(lists);
  }

  /** Where none of the lanes has the partition, any of them can tell who has. */
  async consider(question: Question): Promise<Consideration | Elsewhere> {
    const thread = this.threads.find((one) => one.owns(question)) ?? this.threads.find((one) => one.isRunning);
    return (await thread?.consider(question)) ?? { elsewhere: null };
  }

  async pauseStreams(paused: readonly string[]): Promise<void> {
    this.running = { ...this.running, paused };
    for (const thread of this.threads) thread.pauseStreams(paused);
  }

  restart(partition: TopicPartition, why: Error): void {
    this.threads.find((thread) => thread.owns(partition))?.restart(why);
  }

  delivery(): DeliveryMode {
    return this.mode;
  }

  setDelivery(mode: DeliveryMode): void {
    this.mode = mode;
    for (const thread of this.threads) thread.setDelivery(mode);
  }

  async storeNow(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.storeNow()));
  }

  private async stopAll(): Promise<void> {
    this.stage = 'stopping';
    this.refresh();
    this.abort.abort();
    this.cancelLook();
    const ends = await Promise.allSettled(this.threads.map((thread) => thread.stop()));
    this.stage = 'stopped';
    this.refresh();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  private async laneCount(): Promise<number> {
    for (;;) {
      try {
        const count = await this.options.lanes();
        this.waitingFor = null;
        return count;
      } catch (error) {
        this.waitingFor = `cannot start yet: ${(error as Error).message}`;
        this.refresh();
        await pause(this.options.clock, RETRY_MS, this.abort.signal);
        if (this.abort.signal.aborted) throw new Error('stopped before it had started', { cause: error });
      }
    }
  }

  private thread(number: number): LaneThread {
    const { clock, restart, listener, report, warn } = this.options;
    return new LaneThread({
      spawn: (of, statePort) => this.options.spawn(of, statePort, this.running),
      ...{ number, clock, restart, listener, report, states: this.states },
      warn: (text, trouble) => warn(text, new Error(trouble)),
      onChange: () => this.refresh(),
      onGivenUp: (error) => {
        this.failure = `lane ${number}: ${error.message}`;
        this.refresh();
      },
    });
  }

  private look(): void {
    this.cancelLook = this.options.clock.schedule(LOOK_MS, () => {
      this.refresh();
      this.look();
    });
  }

  // ---- phase ----------------------------------------------------------------------------------------------------------

  private present(): { readonly phase: DetectorPhase; readonly trouble: string | null } {
    const { stage, failure } = this;
    if (stage === 'stopping' || stage === 'stopped') return { phase: stage, trouble: failure };
    if (failure !== null) return { phase: 'failed', trouble: failure };
    const trouble = this.waitingFor ?? this.troubleOfLanes();
    if (stage !== 'started') return { phase: stage, trouble };
    return { phase: this.threads.every((thread) => thread.isRunning) ? 'running' : 'degraded', trouble };
  }

  /** What several lanes say alike (a broker is away) is said once. */
  private troubleOfLanes(): string | null {
    const byText = new Map<string, number[]>();
    for (const [number, thread] of this.threads.entries()) {
      const text = thread.trouble();
      if (text !== null) byText.set(text, [...(byText.get(text) ?? []), number]);
    }
    if (byText.size === 0) return null;
    return [...byText]
      .map(([text, lanes]) => (lanes.length === this.threads.length ? text : `lane ${lanes.join(', ')}: ${text}`))
      .join('; ');
  }

  private refresh(): void {
    const { phase, trouble } = this.present();
    if (phase === this.told.phase && trouble === this.told.trouble) return;
    this.told = { phase, trouble };
    this.options.listener.onPhase?.(phase, trouble);
  }
}
