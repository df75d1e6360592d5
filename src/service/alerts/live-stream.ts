import type { ServerResponse } from 'node:http';
import type { AlertFilter, StoredAlert } from '../../runtime/ports/alert-store.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { PersonalMask } from '../access/personal-mask.js';
import type { Principal } from '../access/principal.js';
import type { ActiveSnoozes } from './active-snoozes.js';
import { matches } from './alert-query.js';
import type { AlertPosition, AlertView } from './alert-view.js';

const HEARTBEAT_MS = 15_000;
/** A client that is so far behind is cut off: it comes back with `Last-Event-ID` and misses nothing that is held. */
const UNSENT_BYTES_MAX = 1 << 20;
const STREAMS_MAX = 1000;

/** Alerts as server-sent events, one `alert` event each, whose id says where to go on. */
export class LiveStreams {
  private readonly open = new Set<() => void>();

  constructor(
    private readonly view: AlertView,
    private readonly clock: Clock,
    private readonly snoozes: ActiveSnoozes,
    private readonly mask: PersonalMask,
  ) {}

  get count(): number {
    return this.open.size;
  }

  get isFull(): boolean {
    return this.open.size >= STREAMS_MAX;
  }

  /** Writes to `response` until the client goes, falls behind, or `closeAll`. The response must not have begun. */
  serve(response: ServerResponse, filter: AlertFilter, lastEventId: string | undefined, caller: Principal): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.write('retry: 1000\n\n');
    let cancelBeat = () => {};
    let unsubscribe = () => {};
    const end = () => {
      cancelBeat();
      unsubscribe();
      this.open.delete(end);
      response.end();
    };
    const send = (text: string) => {
      if (response.destroyed || response.writableEnded) return;
      response.write(text);
      if (response.writableLength > UNSENT_BYTES_MAX) end();
    };
    const beat = () => {
      send(': still here\n\n');
      if (this.open.has(end)) cancelBeat = this.clock.schedule(HEARTBEAT_MS, beat);
    };
    this.open.add(end);
    response.on('close', end);
    cancelBeat = this.clock.schedule(HEARTBEAT_MS, beat);
    unsubscribe = this.view.subscribe(readPosition(lastEventId), (live) => {
      const state = this.snoozes.isSnoozed(live.alert) ? 'snoozed' : 'open';
      const stored: StoredAlert = { alert: live.alert, state };
      if (!matches(filter, stored)) return;
      send(eventText({ ...stored, alert: this.mask.of(live.alert, caller) }, live.position));
    });
    if (!this.open.has(end)) unsubscribe();
  }

  closeAll(): void {
    for (const end of [...this.open]) end();
  }
}

function eventText({ alert, state }: StoredAlert, position: AlertPosition): string {
  return `id: ${writePosition(position)}\nevent: alert\ndata: ${JSON.stringify({ ...alert, state })}\n\n`;
}

/** `0:17,1:4`: the next offset by partition. */
export function writePosition(position: AlertPosition): string {
  return [...position].map(([partition, offset]) => `${partition}:${offset}`).join(',');
}

/** `null` for none, or for one that is not ours: the stream then begins with what comes next. */
export function readPosition(text: string | undefined): AlertPosition | null {
  if (text === undefined || !/^\d+:\d+(,\d+:\d+)*$/.test(text)) return null;
  return new Map(text.split(',').map((part) => part.split(':').map(Number) as [number, number]));
}
