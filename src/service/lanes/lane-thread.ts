import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Consideration, DetectorListener, DetectorStatus, Elsewhere, Question } from '../../runtime/detector.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { partitionName, type TopicPartition } from '../../runtime/ports/log.js';
import type { RuleSource } from '../compose/rules/running-rules.js';
import type { FromLane, LaneEvent, LaneListener } from './messages.js';
import { type RestartOptions, RestartPolicy } from './restart-policy.js';
import type { LaneHandle } from './spawn-lane.js';
import type { StateConnection, StateServer } from './state/state-server.js';
import { fromWire } from './state/wire-error.js';
import { countersOnly, emptyStatus, sumStatuses } from './sum-statuses.js';

export interface LaneThreadOptions {
  readonly number: number;
  readonly spawn: (number: number, statePort: MessagePort) => LaneHandle;
  readonly states: StateServer;
  readonly clock: Clock;
  readonly restart: RestartOptions;
  /** Told everything but phases, which the group makes one of. */
  readonly listener: DetectorListener;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: string) => void;
  /** Phase or trouble may have changed. */
  readonly onChange: () => void;
  /** It ended too often to be started once more. */
  readonly onGivenUp: (error: Error) => void;
}

/** One that is to be started again has so long to finish and commit; then it is ended. */
const LEAVE_MAX_MS = 30_000;
/** A thread tells its status several times a second; one silent for so long is stuck. */
const SILENT_MS = 15_000;

/** A thread that has told nothing of itself yet. */
const NO_LOAD = { busySeconds: 0, gcSeconds: 0, gcPauses: 0, loopDelaySeconds: 0, heapBytes: 0 };

/** One thread from its start to its end. */
interface Incarnation {
  readonly handle: LaneHandle;
  readonly states: StateConnection;
  readonly exited: Promise<void>;
}

/**
 * One lane of the group, through all the threads that it has been in.
 *
 *     starting ──▶ up ──stop()──▶ stopped
 *        ▲  └────┬──┘                ▲
 *        │      ends                 │
 *        └─ waiting ◀┘ ──stop()──────┘         too many ends: given up
 *
 * 1. A thread that ends unasked, whose lane failed, or that is to be started again, is replaced as the restart policy says.
 * 2. The next thread starts after all that the last one had asked of the state store is done.
 * 3. Counters go on where the last thread left them; its partitions are lost to the group until it finds out by itself.
 */
export class LaneThread {
  private current: Incarnation | null = null;
  /** The end of the thread before. */
  private gone: Promise<void> = Promise.resolve();
  private latest: DetectorStatus = emptyStatus('created');
  private before: DetectorStatus = emptyStatus('created');
  private readonly partitions = new Map<string, TopicPartition>();
  private readonly policy: RestartPolicy;
  /** Why it was told to stop, to be started again. */
  private leaving: Error | null = null;
  private heardAt: number;
  private stopping: PromiseWithResolvers<void> | null = null;
  private cancelRestart: () => void = () => undefined;
  private readonly heard: LaneListener;
  private readonly firstStart = Promise.withResolvers<void>();
  private hasStarted = false;
  /** Set while it is another than the settings say. */
  private mode: DeliveryMode | null = null;
  private storing: PromiseWithResolvers<void> | null = null;
  /** Questions that its thread has yet to answer. */
  private readonly asked = new Map<number, PromiseWithResolvers<Consideration | Elsewhere>>();
  private questions = 0;
  private restarts = 0;

  constructor(private readonly options: LaneThreadOptions) {
    const { listener, report, warn } = options;
    this.policy = new RestartPolicy(options.restart);
    this.heardAt = options.clock.now();
    this.heard = {
      onAlert: (...args) => listener.onAlert?.(...args),
      // The status that comes with it says the same.
      onPhase: () => undefined,
      onPartitions: (...args) => this.partitionsAre(...args),
      onDeadLetter: (...args) => listener.onDeadLetter?.(...args),
      onQuarantined: (...args) => listener.onQuarantined?.(...args),
      onBatch: (...args) => listener.onBatch?.(...args),
      onCommit: (...args) => listener.onCommit?.(...args),
      report,
      warn,
    };
    // It may be stopped, or given up, with nobody waiting for its start.
    this.firstStart.promise.catch(() => undefined);
  }

  /** Resolves when the lane has started for the first time; rejects when it never will. */
  start(): Promise<void> {
    this.spawn();
    return this.firstStart.promise;
  }

  /** Lets it finish and commit. Throws what its lane threw, or when its thread ended meanwhile. */
  async stop(): Promise<void> {
    this.cancelRestart();
    this.firstStart.reject(new Error('stopped before it had started'));
    const { current } = this;
    this.stopping ??= Promise.withResolvers();
    if (current === null) this.stopping.resolve();
    else if (this.leaving === null) current.handle.postMessage({ kind: 'stop' });
    try {
      await this.stopping.promise;
    } finally {
      await this.discard();
      this.latest = { ...this.latest, phase: 'stopped', partitions: [] };
    }
  }

  /** Has the lane finish and commit, and starts it again as if it had ended by itself with the error. */
  restart(error: Error): void {
    const { current, leaving, stopping } = this;
    if (current === null || !this.hasStarted || leaving !== null || stopping !== null) return;
    this.leaving = error;
    current.handle.postMessage({ kind: 'stop' });
    const cancel = this.options.clock.schedule(LEAVE_MAX_MS, () => {
      if (this.current === current && this.stopping === null) void this.ended(error);
    });
    void current.exited.then(cancel);
  }

  /** Holds for the threads to come, too. */
  setDelivery(mode: DeliveryMode): void {
    this.mode = mode;
    this.current?.handle.postMessage({ kind: 'delivery', mode });
  }

  /** Those that are started later get these from the start. */
  changeRules(sources: readonly RuleSource[]): void {
    this.current?.handle.postMessage({ kind: 'rules', sources });
  }

  /** The same for lists. */
  changeLists(lists: ReferenceLists['data']): void {
    this.current?.handle.postMessage({ kind: 'lists', lists });
  }

  pauseStreams(streams: readonly string[]): void {
    this.current?.handle.postMessage({ kind: 'paused', streams });
  }

  /** Resolves when all its state is stored as of a moment after the call. */
  async storeNow(): Promise<void> {
    if (this.current === null || !this.hasStarted) throw new Error(`lane ${this.options.number} is not running`);
    if (this.storing === null) {
      this.storing = Promise.withResolvers();
      this.current.handle.postMessage({ kind: 'store' });
    }
    await this.storing.promise;
  }

  /** Whether the partition is this lane's, as far as is known here. */
  owns(partition: TopicPartition): boolean {
    return this.partitions.has(partitionName(partition));
  }

  /** See `Detector.consider`. Rejects when its thread ends before it has answered. */
  consider(question: Question): Promise<Consideration | Elsewhere> {
    if (this.current === null) return Promise.resolve({ elsewhere: null });
    const id = this.questions++;
    const answer = Promise.withResolvers<Consideration | Elsewhere>();
    this.asked.set(id, answer);
    this.current.handle.postMessage({ kind: 'consider', id, question });
    return answer.promise;
  }

  /** Counters of all its threads; partitions, phase and trouble of the present one. */
  status(): DetectorStatus {
    const { number: lane } = this.options;
    const partitions = this.latest.partitions.map((partition) => ({ ...partition, lane }));
    const load = { ...(this.latest.lanes?.[0] ?? NO_LOAD), lane, restarts: this.restarts };
    return sumStatuses(this.before, { ...this.latest, partitions, lanes: [load] });
  }

  get isRunning(): boolean {
    return this.latest.phase === 'running' && this.trouble() === null;
  }

  /** What keeps it from running, in words; `null`: nothing. */
  trouble(): string | null {
    const { phase, trouble } = this.latest;
    if (trouble !== null) return trouble;
    const silent = this.options.clock.now() - this.heardAt;
    if (this.current !== null && silent > SILENT_MS) return `has not been heard of for ${Math.round(silent / 1000)} s`;
    return phase === 'running' || !this.hasStarted ? null : `is ${phase}`;
  }

  // ---- a thread -------------------------------------------------------------------------------------------------------

  private spawn(): void {
    const { number, spawn, states, clock } = this.options;
    const { port1, port2 } = new MessageChannel();
    const handle = spawn(number, port2);
    const connection = states.serve(port1);
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    const incarnation: Incarnation = { handle, states: connection, exited };
    this.current = incarnation;
    this.heardAt = clock.now();
    this.latest = { ...emptyStatus('starting'), trouble: null };
    const ended = (error: Error) => {
      if (this.current === incarnation) void this.ended(error);
    };
    handle.on('message', (message) => {
      if (this.current === incarnation) this.take(message);
    });
    handle.on('error', (error) => ended(error));
    handle.on('exit', (code) => {
      resolve();
      ended(new Error(`its thread ended with ${code}`));
    });
    this.options.onChange();
  }

  private take(message: FromLane): void {
    this.heardAt = this.options.clock.now();
    switch (message.kind) {
      case 'told':
        this.current!.handle.postMessage({ kind: 'heard' });
        for (const event of message.events) this.tell(event);
        if (message.status !== null) this.statusIs(message.status);
        return;
      case 'started':
        this.hasStarted = true;
        if (this.mode !== null) this.setDelivery(this.mode);
        this.firstStart.resolve();
        this.options.onChange();
        return;
      case 'stored':
        if (message.error === null) this.storing?.resolve();
        else this.storing?.reject(fromWire(message.error));
        this.storing = null;
        return;
      case 'considered': {
        const asked = this.asked.get(message.id);
        this.asked.delete(message.id);
        if (message.error === null) asked?.resolve(message.answer!);
        else asked?.reject(fromWire(message.error));
        return;
      }
      case 'failed':
        void this.failed(fromWire(message.error));
        return;
      case 'stopped':
        if (this.stopping === null && this.leaving !== null) return void this.ended(this.leaving);
        if (message.error === null) this.stopping?.resolve();
        else this.stopping?.reject(fromWire(message.error));
    }
  }

  private tell([method, ...args]: LaneEvent): void {
    (this.heard[method] as (...args: unknown[]) => void)(...args);
  }

  private partitionsAre(
    partitions: readonly TopicPartition[],
    change: Parameters<NonNullable<DetectorListener['onPartitions']>>[1],
  ): void {
    for (const partition of partitions) {
      if (change === 'revoked' || change === 'lost') this.partitions.delete(partitionName(partition));
      else this.partitions.set(partitionName(partition), partition);
    }
    this.options.listener.onPartitions?.(partitions, change);
  }

  private statusIs(status: DetectorStatus): void {
    this.latest = status;
    if (status.phase === 'failed' && this.stopping === null) {
      void this.ended(new Error(status.trouble ?? 'it failed'));
    }
    this.options.onChange();
  }

  // ---- its end --------------------------------------------------------------------------------------------------------

  /** What keeps a lane from being made the first time will keep it from being made again: settings, a schema, a rule. */
  private async failed(error: Error): Promise<void> {
    // It was told to stop, and says so next.
    if (this.stopping !== null) return;
    if (this.hasStarted) return this.ended(error);
    await this.discard();
    this.giveUp(error);
  }

  private async ended(error: Error): Promise<void> {
    const { clock, number, warn } = this.options;
    const gone = this.discard();
    this.leaving = null;
    this.storing?.reject(error);
    this.storing = null;
    if (this.stopping !== null) {
      await gone;
      return this.stopping.reject(error);
    }
    this.before = countersOnly(sumStatuses(this.before, this.latest));
    this.latest = { ...emptyStatus('failed'), trouble: `ended: ${error.message}` };
    if (this.partitions.size > 0) this.partitionsAre([...this.partitions.values()], 'lost');
    const pauseMs = this.policy.next(clock.now());
    if (pauseMs === null) return this.giveUp(error);
    warn(`lane ${number} ended and is started again in ${pauseMs} ms`, error.message);
    this.options.onChange();
    this.cancelRestart = clock.schedule(pauseMs, () => {
      void gone.then(() => {
        if (this.stopping === null) this.spawnAgain();
      });
    });
  }

  /** A machine without memory for another thread has ended it, too. */
  private spawnAgain(): void {
    this.restarts++;
    try {
      this.spawn();
    } catch (error) {
      void this.ended(error as Error);
    }
  }

  private giveUp(error: Error): void {
    this.latest = { ...emptyStatus('failed'), trouble: `ended: ${error.message}` };
    this.firstStart.reject(error);
    this.options.onGivenUp(error);
  }

  /** Ends the thread for good, and what it held of the state. */
  private discard(): Promise<void> {
    const { current } = this;
    this.current = null;
    for (const { reject } of this.asked.values())
      reject(new Error(`lane ${this.options.number} ended before it answered`));
    this.asked.clear();
    if (current !== null) this.gone = this.end(current);
    return this.gone;
  }

  private async end({ handle, states, exited }: Incarnation): Promise<void> {
    await handle.terminate();
    await exited;
    await states.close();
  }
}
