import type { Question } from '../../runtime/detector.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import type { Lane } from '../../runtime/lane/lane.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';
import { openLog } from '../compose/log.js';
import type { RuleSource } from '../compose/rules/running-rules.js';
import { EventSender } from './event-sender.js';
import { LoadMeter } from './load-meter.js';
import { makeLane } from './make-lane.js';
import type { FromLane, LaneData, ToLane } from './messages.js';
import { RemoteStateStore } from './state/remote-state-store.js';
import { toWire } from './state/wire-error.js';

/** The thread's end of the line to the main thread. */
export interface MainThread {
  postMessage(message: FromLane): void;
  on(event: 'message', listener: (message: ToLane) => void): unknown;
}

/** Makes a lane in this thread and starts it; stops it when the main thread says so. What happens goes to the main thread. */
export function runLane(data: LaneData, main: MainThread, clock: Clock): void {
  const run = new LaneRun(data, main, clock);
  main.on('message', (message) => {
    switch (message.kind) {
      case 'heard':
        return run.heard();
      case 'delivery':
        return run.setDelivery(message.mode);
      case 'rules':
        return void run.changeRules(message.sources);
      case 'lists':
        return void run.changeLists(message.lists);
      case 'paused':
        return void run.pauseStreams(message.streams);
      case 'store':
        return void run.storeNow();
      case 'consider':
        return void run.consider(message.id, message.question);
      case 'stop':
        return void run.stop();
    }
  });
  void run.start();
}

class LaneRun {
  private lane: Lane | null = null;
  private log: Log | null = null;
  private stopping = false;
  private sources: readonly RuleSource[];
  private lists: ReferenceLists['data'];
  private paused: readonly string[];
  private readonly store: RemoteStateStore;
  private readonly sender: EventSender;
  private readonly load = new LoadMeter();

  constructor(
    private readonly data: LaneData,
    private readonly main: MainThread,
    private readonly clock: Clock,
  ) {
    this.sources = data.sources;
    this.lists = data.lists;
    this.paused = data.paused ?? [];
    this.store = new RemoteStateStore(data.statePort);
    const load = this.load;
    this.sender = new EventSender({
      send: (message) => main.postMessage(message),
      status: () => this.lane && { ...this.lane.status(), lanes: [{ lane: data.number, restarts: 0, ...load.read() }] },
      clock,
      soon: (callback) => void setImmediate(callback),
    });
  }

  async start(): Promise<void> {
    const { settings, number } = this.data;
    const { listener, report, warn } = this.sender;
    try {
      this.log = await openLog(settings, report);
      const { clock, log, store, sources, lists, paused } = this;
      this.lane = makeLane({ settings, number, sources, lists, paused, clock, log, store, listener, report, warn });
      this.sender.start();
      await this.lane.start();
      // That it runs is known before it counts as started.
      this.sender.flush();
      this.main.postMessage({ kind: 'started' });
    } catch (error) {
      // A start that was called off is no failure.
      if (!this.stopping) this.main.postMessage({ kind: 'failed', error: toWire(error) });
    }
  }

  heard(): void {
    this.sender.heard();
  }

  setDelivery(mode: DeliveryMode): void {
    this.lane?.setDelivery(mode);
  }

  /** They were checked where they came from: what keeps them from running here is worth a look, and the rules until now go on. */
  async changeRules(sources: readonly RuleSource[]): Promise<void> {
    this.sources = sources;
    try {
      await this.lane?.changeRules(sources);
    } catch (error) {
      this.sender.warn('rules that were changed do not run here', error as Error);
    }
  }

  async changeLists(lists: ReferenceLists['data']): Promise<void> {
    this.lists = lists;
    try {
      await this.lane?.changeLists(lists);
    } catch (error) {
      this.sender.warn('lists that were changed do not hold here', error as Error);
    }
  }

  async pauseStreams(streams: readonly string[]): Promise<void> {
    this.paused = streams;
    await this.lane?.pauseStreams(streams).catch((error: Error) => this.sender.warn('streams cannot be paused', error));
  }

  async storeNow(): Promise<void> {
    const error = await this.lane?.storeNow().then(
      () => null,
      (thrown: unknown) => toWire(thrown),
    );
    this.main.postMessage({ kind: 'stored', error: error ?? null });
  }

  async consider(id: number, question: Question): Promise<void> {
    try {
      const answer = (await this.lane?.consider(question)) ?? { elsewhere: null };
      this.main.postMessage({ kind: 'considered', id, answer, error: null });
    } catch (error) {
      this.main.postMessage({ kind: 'considered', id, answer: null, error: toWire(error) });
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const error = await this.close().then(
      () => null,
      (thrown: unknown) => toWire(thrown),
    );
    this.sender.close();
    this.load.close();
    this.main.postMessage({ kind: 'stopped', error });
  }

  private async close(): Promise<void> {
    try {
      await this.lane?.stop();
    } finally {
      await this.log?.close();
      await this.store.close();
    }
  }
}
