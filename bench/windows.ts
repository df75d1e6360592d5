import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSpillFile } from '../src/connectors/file/spill-file.js';
import {
  type EngineEvent,
  type Feature,
  ge,
  hopping,
  field as named,
  type Pattern,
  session,
  tumbling,
} from '../src/engine/index.js';
import type { Rule } from '../src/rules/index.js';
import { SpillSpace } from '../src/runtime/keys/windows/spill-space.js';
import type { SpillOptions } from '../src/runtime/keys/windows/window-spill.js';
import { KeyedEngine } from '../src/runtime/task/keyed/keyed-engine.js';

/**
 * What windows that emit take, by form and statistic, and what it costs to keep the windows of features in a file beyond a bound on memory.
 *
 * Windows that emit: 1,000 keys at random, an event of each every 10 s on average; no alerts (`having` is never true), so that what is measured are the
 * windows. Spill: 10,000 keys at random (no key is more frequent than another: the worst for any memory) with the sum of 200 events each; the file is in the folder of
 * temporary files, and the system's cache of files has room for all of it. Processor time of this process, reads and writes included. What it leaves out: decoding, the
 * order buffer, cuts of the state, alerts; and a disk that must be waited for.
 *
 *     node --import ./test/harness/run-typescript.mjs bench/windows.ts [emit | spill]
 */
const MINUTE = 60_000;
const EMIT = { keys: 1000, everyMs: 10_000, warm: 300_000, timed: 600_000 };
const SPILL = { keys: 10_000, rows: 200, timed: 400_000 };

const ruleOf = (pattern: Pattern): Rule => ({
  ...{ id: 'w', title: 'w', status: 'live', key: 'k', tags: [], revision: '1', source: 'w', fields: [] },
  ...{ keyBy: { form: 'one', field: 'k' }, streams: [], alert: { severity: 'low', score: 1, message: [] } },
  pattern,
});

/** The same numbers each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

class Feed {
  private readonly random = dice(7);
  private readonly names: readonly string[];
  private seq = 0;

  constructor(
    private readonly engine: KeyedEngine,
    private readonly keys: number,
    private readonly everyMs: number,
  ) {
    this.names = Array.from({ length: keys }, (_, i) => `C${1_000_000 + i}`);
  }

  /** Microseconds of processor an event. */
  run(events: number): number {
    const before = process.cpuUsage();
    for (let i = 0; i < events; i++) this.next();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / events;
  }

  private next(): void {
    const { engine, random } = this;
    const key = random(this.keys);
    const fields = { amount: random(50_000) / 100, place: `place ${random(50)}` };
    const time = Math.floor((this.seq * this.everyMs) / this.keys);
    const event: EngineEvent = { time, seq: this.seq++, kind: '', fields };
    while (engine.nextTimer() <= time) engine.fireNext();
    engine.process(this.names[key]!, event);
    if (this.seq % 500 === 0) engine.sweep(time);
  }
}

function emit(): void {
  const never = ge(named('n'), 1e9);
  const count = { fn: 'count' } as const;
  const sum = { fn: 'sum', field: 'amount' } as const;
  const forms: readonly (readonly [string, Pattern])[] = [
    ['tumbling 1 m, count', tumbling(MINUTE).aggregate('n', count).having(never).build()],
    [
      'tumbling 1 h, count',
      tumbling(60 * MINUTE)
        .aggregate('n', count)
        .having(never)
        .build(),
    ],
    [
      'tumbling 1 h, count, sum, distinct',
      tumbling(60 * MINUTE)
        .aggregate('n', count)
        .aggregate('s', sum)
        .aggregate('d', { fn: 'distinct', field: 'place' })
        .having(never)
        .build(),
    ],
    [
      'tumbling 1 h, median',
      tumbling(60 * MINUTE)
        .aggregate('n', count)
        .aggregate('m', { fn: 'median', field: 'amount' })
        .having(never)
        .build(),
    ],
    [
      'hopping 5 m every 1 m, count and sum',
      hopping(5 * MINUTE, MINUTE)
        .aggregate('n', count)
        .aggregate('s', sum)
        .having(never)
        .build(),
    ],
    [
      'hopping 1 h every 1 m, count and sum',
      hopping(60 * MINUTE, MINUTE)
        .aggregate('n', count)
        .aggregate('s', sum)
        .having(never)
        .build(),
    ],
    [
      'session 30 s, count',
      session(MINUTE / 2)
        .aggregate('n', count)
        .having(never)
        .build(),
    ],
  ];
  console.log('| window | µs of processor an event | events/s of one processor | windows that ended, an event |');
  console.log('|---|---|---|---|');
  for (const [label, pattern] of forms) {
    const engine = new KeyedEngine('k', [ruleOf(pattern)], { onMatch: () => {} }, { hotKeysMax: 1_000_000 });
    const feed = new Feed(engine, EMIT.keys, EMIT.everyMs);
    feed.run(EMIT.warm);
    const micros = feed.run(EMIT.timed);
    const form = pattern.window!.form;
    const pace = form.kind === 'tumbling' ? form.sizeMs : form.kind === 'hopping' ? form.everyMs : 0;
    const ended = pace === 0 ? '–' : (EMIT.everyMs / pace).toFixed(3);
    console.log(`| ${label} | ${micros.toFixed(2)} | ${Math.round(1e6 / micros).toLocaleString('en')} | ${ended} |`);
  }
}

function spill(): void {
  const feature: Feature = { fn: 'sum', field: 'amount', overMs: SPILL.rows * MINUTE };
  const pattern: Pattern = {
    steps: [
      {
        ...{ kind: 'event', name: 'e', contiguity: 'start' },
        where: { op: 'compare', cmp: '==', left: { op: 'feature', feature }, right: { op: 'const', value: -1 } },
      },
    ],
  };
  console.log(
    '| memory for windows | in memory MB | in the file MB | looks that miss | µs of processor an event | µs more for a miss |',
  );
  console.log('|---|---|---|---|---|---|');
  const all = SPILL.keys * SPILL.rows * 16 * 1.25;
  let alone = 0;
  for (const share of [null, 1.2, 0.5, 0.1, 0]) {
    const folder = mkdtempSync(join(tmpdir(), 'stakeout-bench-'));
    const memory = { bytesMax: Math.round(all * (share ?? 0)), used: 0 };
    const space = new SpillSpace(() => openSpillFile(folder, 'spill'));
    const options: { spill?: SpillOptions } = share === null ? {} : { spill: { space, memory } };
    const engine = new KeyedEngine('k', [ruleOf(pattern)], { onMatch: () => {} }, { ...options, tellsChanges: false });
    const feed = new Feed(engine, SPILL.keys, MINUTE);
    feed.run(SPILL.keys * SPILL.rows);
    const before = engine.memory().spilled ?? { misses: 0 };
    const micros = feed.run(SPILL.timed);
    const { coldBytes, spilled } = engine.memory();
    const misses = ((spilled?.misses ?? 0) - before.misses) / SPILL.timed;
    if (share === null) alone = micros;
    const more = misses > 0.001 ? ((micros - alone) / misses).toFixed(1) : '–';
    const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
    const label = share === null ? 'no bound' : `${mb(memory.bytesMax)} MB`;
    console.log(
      `| ${label} | ${mb(coldBytes)} | ${mb(spilled?.bytes ?? 0)} | ${(100 * misses).toFixed(1)} % | ${micros.toFixed(2)} | ${more} |`,
    );
    engine.close();
    space.close();
    rmSync(folder, { recursive: true });
  }
}

const [mode = 'emit'] = process.argv.slice(2);
if (mode === 'spill') spill();
else emit();
