/** `stakeout savepoint` from end to end: the real service on the embedded log, stopped, taken, wiped, put back, and gone on with. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { shippedSchema } from '../../src/runtime/settings/index.js';
import { built } from '../e2e/kit/build.js';
import { CliProcess, type Ended } from '../harness/cli-process.js';
import { until } from '../harness/until.js';

let folder: string;
let service: CliProcess | null = null;
/** Alerts of a run that nothing came between. */
let expected: readonly string[] = [];

beforeAll(async () => {
  await built();
  expected = await uninterrupted();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-savepoint-command-'));
});
afterEach(async () => {
  await service?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Partition {
  readonly phase: string;
  readonly lag: number;
  readonly position: number;
}

/** One data folder, and a stream in it. */
class Place {
  url = '';
  /** Records in its topic: a service that starts has read them all before anything more is sent. */
  records = 0;

  constructor(
    readonly data: string,
    readonly topic = 'transactions',
    readonly partitions = 4,
  ) {
    writeFileSync(
      this.config,
      JSON.stringify({
        ...{ data: { directory: data }, demo: { enabled: false }, http: { port: 0 }, log: { level: 'warn' } },
        streams: {
          transactions: {
            ...{ topic, partitions, schema: shippedSchema, key: 'accountId', time: 'eventTime', id: 'transactionId' },
            ...{ type: 'type', outOfOrderness: '2s' },
          },
        },
      }),
    );
  }

  get config(): string {
    return `${this.data}-${this.topic}.yaml`;
  }

  async start(): Promise<void> {
    service = CliProcess.start(['start', '--config', this.config]);
    this.url = await service.untilSaid(/POST (http:\S+)\/v1\/transactions/);
    await until(async () => {
      const held = await this.held();
      return held.length === this.partitions && held.every(({ phase }) => phase === 'live');
    }, 'its partitions');
    await this.untilProcessed();
  }

  async stop(): Promise<void> {
    expect((await service!.end('SIGINT')).status).toBe(0);
  }

  async held(): Promise<readonly Partition[]> {
    const { detector } = (await (await fetch(`${this.url}/v1/status`)).json()) as {
      readonly detector: { readonly partitions: readonly Partition[] } | null;
    };
    return detector?.partitions ?? [];
  }

  /** Sends rows one after the other, and waits until they are processed. */
  async send(rows: readonly object[]): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${this.url}/v1/transactions`, { method: 'POST', headers, body: JSON.stringify(rows) });
    expect(answer.status).toBe(202);
    this.records += rows.length;
    await this.untilProcessed();
  }

  private async untilProcessed(): Promise<void> {
    const processed = async () => (await this.held()).reduce((total, { position }) => total + position, 0);
    await until(async () => (await processed()) === this.records, `${this.records} records to be processed`);
  }

  async alerts(): Promise<readonly string[]> {
    let ids: readonly string[] = [];
    // What is committed is there within a commit's interval.
    await until(async () => {
      const now = await this.alertIds();
      const same = now.length === ids.length;
      ids = now;
      return same;
    }, 'no more alerts');
    return ids.toSorted();
  }

  savepoint(...args: readonly string[]): Promise<Ended> {
    return CliProcess.run(['savepoint', ...args, '--config', this.config]);
  }

  private async alertIds(): Promise<readonly string[]> {
    const { items: alerts } = (await (await fetch(`${this.url}/v1/alerts?limit=1000`)).json()) as {
      readonly items: readonly Alert[];
    };
    return alerts.map(({ id, patternId, key }) => `${patternId} ${key} ${id}`);
  }
}

const NOON = Date.UTC(2026, 0, 1, 12);
const ACCOUNTS = Array.from({ length: 12 }, (_, i) => `acc-${i}`);

/** A step of the classic sequence, in every account. */
function step(number: number, rest: object): object[] {
  return ACCOUNTS.map((accountId, i) => ({
    ...{ transactionId: `${accountId}-${number}`, accountId, eventTime: NOON + number * 60_000 + i },
    ...rest,
  }));
}

const large = step(0, { type: 'Payment', amount: 12_000 });
const cash = step(1, { type: 'Withdrawal', amount: 400 });
const offshore = step(2, { type: 'Transfer', amount: 9_000, country: 'OFFSHORE' });
/** Moves time on in every partition of any topic here. */
const later = Array.from({ length: 80 }, (_, i) => ({
  ...{ transactionId: `later-${i}`, accountId: `other-${i}`, eventTime: NOON + 3_600_000, type: 'Payment', amount: 5 },
}));

async function uninterrupted(): Promise<readonly string[]> {
  const data = mkdtempSync(join(tmpdir(), 'stakeout-savepoint-uninterrupted-'));
  try {
    const place = new Place(join(data, 'data'));
    await place.start();
    for (const rows of [large, cash, offshore, later]) await place.send(rows);
    await until(async () => (await place.alerts()).length >= ACCOUNTS.length, 'the alerts');
    const alerts = await place.alerts();
    await place.stop();
    return alerts;
  } finally {
    await service?.end('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  }
}

const result = <T>({ status, stdout, stderr }: Ended): T => {
  if (status !== 0) throw new Error(`it ended with ${status}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as T;
};

interface Created {
  readonly path: string;
  readonly keys: number;
  readonly partitions: readonly { readonly position: number; readonly committed: number }[];
}

interface Restored {
  readonly restored: boolean;
  readonly keys: number;
  readonly partitions: readonly { readonly topic: string; readonly committed: number }[];
}

const create = async (place: Place, ...args: readonly string[]): Promise<Created> =>
  result(await place.savepoint('create', '--json', ...args));

describe('stakeout savepoint', () => {
  it('restores the state of a service that had lost it, and all alerts come once', async () => {
    const place = new Place(join(folder, 'data'));
    await place.start();
    await place.send([...large, ...cash]);
    const locked = await place.savepoint('create');
    expect([locked.status, locked.stdout]).toEqual([1, '']);
    expect(locked.stderr).toMatch(/in use by process \d+.*\n.*--url http/);
    await place.stop();
    const out = join(folder, 'kept.savepoint');
    const created = await create(place, '--out', out);
    expect(created).toMatchObject({ path: out, keys: ACCOUNTS.length });
    expect(created.partitions.reduce((sum, { position }) => sum + position, 0)).toBe(2 * ACCOUNTS.length);

    const occupied = await place.savepoint('restore', out);
    expect([occupied.status, occupied.stderr]).toEqual([
      1,
      expect.stringMatching(/there is state of transactions-0.*--force/),
    ]);
    rmSync(join(place.data, 'state'), { recursive: true });
    const dry = result<Restored>(await place.savepoint('restore', out, '--json', '--dry-run'));
    expect([dry.restored, dry.keys]).toEqual([false, ACCOUNTS.length]);
    const text = await place.savepoint('restore', out);
    expect([text.status, text.stdout]).toEqual([
      0,
      expect.stringMatching(/^Restored: 12 keys, for the group stakeout\.\n {2}transactions-0/),
    ]);
    await place.start();
    await place.send(offshore);
    await place.send(later);
    await until(async () => (await place.alerts()).length >= ACCOUNTS.length, 'the alerts');
    const alerts = await place.alerts();
    await place.stop();
    expect(alerts).toEqual(expected);
  });

  it('goes on from 4 partitions to 8 and to 2, and all alerts come once', async () => {
    const data = join(folder, 'data');
    let file: string | null = null;
    let found: readonly string[] = [];
    for (const [partitions, rows] of [
      [4, [large]],
      [8, [cash]],
      [2, [offshore, later]],
    ] as const) {
      const place = new Place(data, `transactions-${partitions}`, partitions);
      if (file !== null) {
        const unsaid = await place.savepoint('restore', file, '--from', 'earliest');
        expect([unsaid.status, unsaid.stderr]).toEqual([
          1,
          expect.stringMatching(/12 events waited .*--held-back skip/),
        ]);
        const args = ['restore', file, '--from', 'earliest', '--held-back', 'write', '--json'];
        const restored = result<Restored>(await place.savepoint(...args));
        expect(restored.partitions.length).toBe(partitions);
        place.records = ACCOUNTS.length;
      }
      await place.start();
      for (const sent of rows) await place.send(sent);
      if (partitions === 2) await until(async () => (await place.alerts()).length >= ACCOUNTS.length, 'the alerts');
      found = await place.alerts();
      await place.stop();
      file = (await create(place)).path;
    }
    expect(found).toEqual(expected);
  });

  it('is written by a running service, which goes on', async () => {
    const place = new Place(join(folder, 'data'));
    await place.start();
    await place.send([...large, ...cash]);
    const created = await create(place, '--url', place.url);
    expect(created.path).toContain(join(place.data, 'savepoints'));
    expect(created.keys).toBe(ACCOUNTS.length);
    expect(created.partitions.reduce((sum, { committed }) => sum + committed, 0)).toBe(2 * ACCOUNTS.length);
    await place.send(offshore);
    await place.send(later);
    await until(async () => (await place.alerts()).length >= ACCOUNTS.length, 'the alerts');
    await place.stop();
    const gone = await place.savepoint('create', '--url', place.url);
    expect([gone.status, gone.stderr]).toEqual([1, expect.stringMatching(/does not answer/)]);
  });

  it('refuses a file that is damaged, or none, and touches nothing', async () => {
    const place = new Place(join(folder, 'data'));
    const whole = join(import.meta.dirname, 'v1/all-kinds.savepoint');
    const damaged = join(folder, 'damaged.savepoint');
    const refusal = async (): Promise<string> => {
      const { status, stdout, stderr } = await place.savepoint('restore', damaged, '--force', '--json');
      expect([status, stdout]).toEqual([1, '']);
      return stderr;
    };
    copyFileSync(whole, damaged);
    truncateSync(damaged, 1000);
    expect(await refusal()).toMatch(/^\S+ is damaged: .*Nothing was changed/);
    const bytes = readFileSync(whole);
    bytes[2000] = bytes[2000]! ^ 4;
    writeFileSync(damaged, bytes);
    expect(await refusal()).toMatch(/^\S+ is damaged: its checksum does not fit/);
    writeFileSync(damaged, 'something else');
    expect(await refusal()).toMatch(/is no savepoint of stakeout/);
    copyFileSync(whole, damaged);
    expect(await refusal()).toMatch(/there is no topic rows in this log/);
  });
});
