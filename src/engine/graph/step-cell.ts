import type { EngineEvent } from '../event.js';
import type { StepEvents } from '../nfa/output.js';

/** The events that one match has of one step so far. Matches with the same beginning share it, and what is written of it. */
export class StepCell {
  private events: StepEvents | null = null;

  private constructor(
    private readonly event: EngineEvent,
    private readonly previous: StepCell | null,
    private readonly count: number,
  ) {}

  static first(event: EngineEvent): StepCell {
    return new StepCell(event, null, 1);
  }

  with(event: EngineEvent): StepCell {
    return new StepCell(event, this, this.count + 1);
  }

  written(name: string): StepEvents {
    this.events ??= { name, events: this.list() };
    return this.events;
  }

  private list(): EngineEvent[] {
    if (this.previous === null) return [this.event];
    const events = new Array<EngineEvent>(this.count);
    let at = this.count;
    for (let cell: StepCell | null = this; cell !== null; cell = cell.previous) events[--at] = cell.event;
    return events;
  }
}

const EVENT: EngineEvent = { time: 0, seq: 0, kind: '', fields: {} };

/**
 * Never used, and kept for ever. When a full collection finds no object of a class, V8 forgets how they were laid out, and throws
 * away the code that it had made for them; between two matches there is no cell but this one.
 */
export const KEPT = StepCell.first(EVENT).with(EVENT);
KEPT.written('');
