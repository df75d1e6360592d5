import { EventEmitter } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import type { DetectorStatus } from '../../../runtime/detector.js';
import type { FromLane, LaneEvent, ToLane } from '../messages.js';
import type { LaneHandle } from '../spawn-lane.js';
import { RemoteStateStore } from '../state/remote-state-store.js';
import { emptyStatus } from '../sum-statuses.js';

/** A lane's thread that does as it is told. */
export class FakeThread extends EventEmitter implements LaneHandle {
  readonly received: ToLane[] = [];
  readonly store: RemoteStateStore;
  terminated = false;
  private status = emptyStatus('starting');

  constructor(
    readonly number: number,
    statePort: MessagePort,
  ) {
    super();
    this.store = new RemoteStateStore(statePort);
  }

  postMessage(message: ToLane): void {
    this.received.push(message);
  }

  async terminate(): Promise<void> {
    this.exit(1);
  }

  says(message: FromLane): void {
    this.emit('message', message);
  }

  tells(...events: LaneEvent[]): void {
    this.says({ kind: 'told', events, status: null });
  }

  is(over: Partial<DetectorStatus>): void {
    this.status = { ...this.status, ...over };
    this.says({ kind: 'told', events: [], status: this.status });
  }

  runs(over: Partial<DetectorStatus> = {}): void {
    this.is({ phase: 'running', ...over });
    this.says({ kind: 'started' });
  }

  exit(code: number): void {
    if (this.terminated) return;
    this.terminated = true;
    this.emit('exit', code);
  }

  crash(error: Error): void {
    this.emit('error', error);
    this.exit(1);
  }
}

/** Starts fake threads and keeps them: `of(0)` is the latest thread of lane 0. */
export class FakeThreads {
  readonly all: FakeThread[] = [];

  readonly spawn = (number: number, statePort: MessagePort): LaneHandle => {
    const thread = new FakeThread(number, statePort);
    this.all.push(thread);
    return thread;
  };

  of(number: number): FakeThread {
    const found = this.all.findLast((thread) => thread.number === number);
    if (found === undefined) throw new Error(`lane ${number} has no thread`);
    return found;
  }

  countOf(number: number): number {
    return this.all.filter((thread) => thread.number === number).length;
  }
}
