import {
  advanceTime,
  type CompiledPattern,
  compilePattern,
  type EngineEvent,
  type Match,
  nextDeadline,
  PatternError,
  type PatternState,
  processEvent,
  SkipError,
} from '../../engine/index.js';
import {
  type CaseEvent,
  type CaseMatch,
  type CaseResult,
  type ConformanceCase,
  KIND_PARENTS,
  patternOf,
} from './case.js';

/** The end of the input, as the corpus writes it. */
const END_OF_INPUT = Number.MAX_SAFE_INTEGER;

export type CaseOutcome = CaseResult | { readonly invalid: readonly string[] };

/** Runs one case through the engine, with the procedure for buffering and watermarks that the corpus prescribes. */
export function runCase(c: ConformanceCase): CaseOutcome {
  try {
    return new CaseRun(c, compilePattern(patternOf(c), { kindParents: KIND_PARENTS })).run();
  } catch (error) {
    if (error instanceof PatternError) return { invalid: error.problems.map((p) => p.code) };
    throw error;
  }
}

interface KeyRun {
  readonly buffer: CaseEvent[];
  state: PatternState | undefined;
  readonly matches: CaseMatch[];
  readonly timeouts: (CaseMatch & { ts: number })[];
}

class CaseRun {
  private readonly keys = new Map<string, KeyRun>();
  private readonly late: string[] = [];
  private watermark = Number.NEGATIVE_INFINITY;
  private error: { at: string; reason: string } | undefined;
  private seq = 0;

  constructor(
    private readonly c: ConformanceCase,
    private readonly pattern: CompiledPattern,
  ) {}

  run(): CaseResult {
    const { events, time } = this.c;
    const mode = time?.mode ?? 'inOrder';
    let highest = Number.NEGATIVE_INFINITY;
    events.forEach((event, i) => {
      this.arrive(event);
      highest = Math.max(highest, event.ts);
      if (mode === 'inOrder' && this.endsTimestamp(i)) this.advanceWatermark(event.ts);
      if (mode === 'boundedOutOfOrderness') this.advanceWatermark(highest - time!.ms! - 1);
      if (mode === 'explicit')
        for (const w of time!.watermarks ?? []) if (w.after === event.id) this.advanceWatermark(w.ts);
    });
    const last = time?.finalWatermark === undefined ? END_OF_INPUT : time.finalWatermark;
    if (last !== null) this.advanceWatermark(last);
    const runs = [...this.keys.values()];
    return {
      matches: runs.flatMap((k) => k.matches),
      timeouts: runs.flatMap((k) => k.timeouts),
      late: this.late,
      ...(this.error ? { error: this.error } : {}),
    };
  }

  /** After the last event of all, the final watermark takes the place of its own. */
  private endsTimestamp(i: number): boolean {
    const { events, time } = this.c;
    const next = events[i + 1];
    return next === undefined ? time?.finalWatermark === null : next.ts !== events[i]!.ts;
  }

  private arrive(event: CaseEvent): void {
    if (this.error) return;
    if (event.ts <= this.watermark) {
      this.late.push(event.id);
      return;
    }
    const key = event.key ?? '';
    let run = this.keys.get(key);
    if (run === undefined) {
      run = { buffer: [], state: undefined, matches: [], timeouts: [] };
      this.keys.set(key, run);
    }
    run.buffer.push(event);
  }

  private advanceWatermark(to: number): void {
    if (to <= this.watermark) return;
    this.watermark = to;
    for (const [key, run] of this.keys) {
      if (this.error) return;
      this.drain(key, run, to);
    }
  }

  private drain(key: string, run: KeyRun, to: number): void {
    const due = run.buffer.filter((e) => e.ts <= to).sort((a, b) => a.ts - b.ts || this.compareSameTime(a, b));
    const rest = run.buffer.filter((e) => e.ts > to);
    run.buffer.splice(0, run.buffer.length, ...rest);
    let at = Number.NEGATIVE_INFINITY;
    for (const event of due) {
      if (event.ts !== at)
        this.guarded(key, run, `watermark:${event.ts}`, (out) => advanceTime(this.pattern, run.state, event.ts, out));
      at = event.ts;
      this.guarded(key, run, event.id, (out) => processEvent(this.pattern, run.state, this.engineEvent(event), out));
    }
    if (due.length === 0 && !this.hasTimer(run, to)) return;
    this.guarded(key, run, `watermark:${to}`, (out) => advanceTime(this.pattern, run.state, to, out));
  }

  /** A key without a due event is only looked at when one of its match windows ends, as in Flink's operator. */
  private hasTimer(run: KeyRun, to: number): boolean {
    return run.state !== undefined && nextDeadline(this.pattern, run.state, false) <= to;
  }

  private compareSameTime(a: CaseEvent, b: CaseEvent): number {
    const field = this.c.time?.sameTimestampOrder?.field;
    if (field === undefined) return 0;
    const [x, y] = [a[field] as string | number, b[field] as string | number];
    return x < y ? -1 : x > y ? 1 : 0;
  }

  private guarded(key: string, run: KeyRun, at: string, act: (out: EngineOutput) => PatternState | undefined): void {
    if (this.error) return;
    try {
      run.state = act(new EngineOutput(at, this.c.tags.includes('keyed') ? key : undefined, run));
    } catch (error) {
      if (!(error instanceof SkipError)) throw error;
      this.error = { at, reason: error.reason };
    }
  }

  private engineEvent(event: CaseEvent): EngineEvent {
    return { time: event.ts, seq: this.seq++, kind: event.kind, fields: event };
  }
}

class EngineOutput {
  constructor(
    private readonly at: string,
    private readonly key: string | undefined,
    private readonly run: KeyRun,
  ) {}

  onMatch(match: Match): void {
    this.run.matches.push(this.entry(match));
  }

  onTimeout(timeout: Match & { readonly time: number }): void {
    this.run.timeouts.push({ ...this.entry(timeout), ts: timeout.time });
  }

  private entry(match: Match): CaseMatch {
    const events = Object.fromEntries(match.steps.map((s) => [s.name, s.events.map((e) => e.fields.id as string)]));
    return { at: this.at, ...(this.key === undefined ? {} : { key: this.key }), events };
  }
}
