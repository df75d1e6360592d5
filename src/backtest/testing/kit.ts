import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRule } from '../../rules/read/parse-rule.js';
import type { Rule } from '../../rules/rule.js';
import { parametersOf } from '../../rules/source/parameters.js';
import { loadSettings, type Settings } from '../../runtime/settings/index.js';
import { backtest, backtestLane } from '../backtest.js';
import { BASELINE } from '../findings/collector.js';
import { type Measured, measure } from '../measure.js';
import { planOf } from '../plan/plan.js';
import { type ProtocolOptions, protocolOf } from '../plan/protocol.js';
import { gridOf, parseSweep } from '../plan/sweep.js';
import { type BacktestResult, resultOf } from '../result.js';
import { type FileStream, openStreams } from '../run/file-streams.js';

export const DAY = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'stakeout-backtest-'));

export const removeFiles = (): void => rmSync(folder, { recursive: true, force: true });

/** `A100@2`: a payment of 100 by account A on day 2; ids are p0, p1 … in order. */
function payments(rows: string): object[] {
  return rows.split(/\s+/).map((row, index) => {
    const [, account, amount, day] = /^([A-Z])(\d+)@([\d.]+)$/.exec(row)!;
    return { id: `p${index}`, account, amount: Number(amount), at: Math.round(Number(day) * DAY) };
  });
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Accounts with a payment above 200, and with a small one before a large one. */
export const LARGE = 'id: large\nkey: account\npattern:\n  - begin: one\n    where: amount > 200\nalert: {score: 80}\n';
export const PAIR =
  'id: pair\nkey: account\nwithin: 3d\npattern:\n  - begin: small\n    where: amount < 5\n  - followedBy: big\n    where: amount > 100\nalert: {score: 50}\n';

export interface Case {
  readonly rows: string;
  readonly labels: readonly object[];
  /** Lines of the section `backtest`, without its labels' file. */
  readonly section?: string;
  readonly rules?: readonly string[];
  readonly options?: ProtocolOptions;
  readonly baseline?: readonly string[];
  readonly sweep?: readonly string[];
  /** Threads that share out the keys; here they take turns. Default: 1. */
  readonly lanes?: number;
}

let files = 0;

export const measured = async (of: Case): Promise<BacktestResult> => resultOf(await tried(of));

/** Runs a case through files, as the command does. */
export async function tried({ rows, labels, section = '', ...rest }: Case): Promise<Measured> {
  const name = `case-${files++}`;
  writeFileSync(join(folder, `${name}.ndjson`), lines(payments(rows)));
  writeFileSync(join(folder, `${name}-labels.ndjson`), lines(labels));
  const config = join(folder, `${name}.yaml`);
  const stream = `{file: ${name}.ndjson, key: account, time: at, id: id, outOfOrderness: 0s}`;
  const said = section.split('\n').filter((line) => line !== '');
  const own = said.filter((line) => line.startsWith('labels.')).map((line) => `    ${line.slice(7)}`);
  const others = said.filter((line) => !line.startsWith('labels.')).map((line) => `  ${line}`);
  const sections = ['backtest:', '  labels:', `    file: ${name}-labels.ndjson`, ...own, ...others];
  writeFileSync(config, ['streams:', `  payments: ${stream}`, ...sections, ''].join('\n'));
  const loaded = loadSettings({ file: config, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return run(loaded.settings, rest);
}

type Asked = Pick<Case, 'rules' | 'options' | 'baseline' | 'sweep' | 'lanes'>;

async function run(
  settings: Settings,
  { rules = [LARGE], options = {}, baseline, sweep = [], lanes = 1 }: Asked,
): Promise<Measured> {
  const protocol = protocolOf(settings, options);
  const streams = await openStreams(settings, { relative: (path) => path });
  const points = sweep.length === 0 ? [] : gridOf(sweep.map(parseSweep));
  const plan = planOf(rulesOf(rules, streams), [
    ...(baseline === undefined ? [] : [[BASELINE, rulesOf(baseline, streams)] as const]),
    ...points.map((values) => ['point', rulesOf(rules, streams, values)] as const),
  ]);
  let seconds = 0;
  try {
    const input = { streams, plan, protocol, now: () => seconds++ };
    const elsewhere = Array.from({ length: lanes === 1 ? 0 : lanes }, (_, i) =>
      backtestLane(input, { index: i, of: lanes }),
    );
    const done = await backtest(input, elsewhere);
    return measure(done, points, new Map(rules.flatMap((text) => [...parametersOf(text)])));
  } finally {
    for (const { file } of streams) await file.close();
  }
}

function rulesOf(
  texts: readonly string[],
  streams: readonly FileStream[],
  values: ReadonlyMap<string, string> = new Map(),
): Rule[] {
  return texts.map((text) => {
    const { rule, diagnostics } = parseRule(text, 'rule.yaml', streams[0]!.schema, { parameters: values });
    if (rule === null) throw new Error(JSON.stringify(diagnostics));
    return rule;
  });
}
