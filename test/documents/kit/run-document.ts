import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BASE_ENV } from '../../harness/base-env.js';
import { sharedRedis, sharedRegistry, startKafka } from '../../harness/servers/index.js';
import { freePorts } from '../../harness/servers/process.js';
import { until } from '../../harness/until.js';
import { type Block, blocksOf, missingIn } from './document.js';

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');
/** The port that documents speak of; each run has another one. */
const PORT = '8080';
interface Server {
  readonly address: string;
  readonly stop?: () => Promise<void>;
}

/** Servers that documents take to be there, by the address that they have for them. */
const SERVERS: Readonly<Record<string, () => Promise<Server>>> = {
  // Of their own: the rules that a document publishes would be those of every service that leaves the names of topics as they are.
  'localhost:9092': async () => {
    const { brokers, stop } = await startKafka({ own: true });
    return { address: brokers.join(','), stop };
  },
  'redis://localhost:6379': async () => ({ address: await sharedRedis() }),
  'http://localhost:8081': async () => ({ address: await sharedRegistry() }),
};
const RETRY_MS = 250;
const PATIENCE_MS = 90_000;

interface Sandbox {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly port: number;
  /** What documents say, and what it is here. */
  readonly addresses: ReadonlyMap<string, string>;
}

/**
 * Runs the commands of a document, in a folder of its own, with `stakeout` as it is built here. Throws with the place in the document
 * where something is not as it says.
 */
export async function runDocument(file: string): Promise<void> {
  const document = readFileSync(path.join(ROOT, file), 'utf8');
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(path.join(tmpdir(), 'stakeout-document-'));
  const blocks = blocksOf(document);
  const servers = await serversIn(blocks);
  const addresses = new Map([
    [PORT, String(port)],
    ...servers.map(([shown, { address }]) => [shown, address] as const),
  ]);
  const run = new DocumentRun(file, { folder, port, addresses, env: environment(folder, port) });
  try {
    for (const [n, block] of blocks.entries()) await run.take(block, blocks[n + 1]);
  } finally {
    await run.stop();
    for (const [, { stop }] of servers) await stop?.();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts the servers that are named. */
async function serversIn(blocks: readonly Block[]): Promise<readonly (readonly [shown: string, Server])[]> {
  const named = Object.entries(SERVERS).filter(([shown]) => blocks.some(({ text }) => text.includes(shown)));
  return Promise.all(named.map(async ([shown, start]) => [shown, await start()] as const));
}

/** `npx stakeout` and `npm start` are those of this checkout, built already, wherever the folder lies; `$STAKEOUT` is the checkout, `$URL` what is started. */
function environment(folder: string, port: number): Sandbox['env'] {
  const bin = path.join(folder, '.bin');
  mkdirSync(bin);
  const stakeout = `exec "${process.execPath}" "${path.join(ROOT, 'bin', 'stakeout.mjs')}"`;
  writeFileSync(path.join(bin, 'npx'), `#!/bin/sh\nshift\n${stakeout} "$@"\n`, { mode: 0o755 });
  writeFileSync(path.join(bin, 'npm'), `#!/bin/sh\n${stakeout} "$@"\n`, { mode: 0o755 });
  return {
    ...BASE_ENV,
    PATH: `${bin}:${BASE_ENV.PATH}`,
    STAKEOUT: ROOT,
    URL: `http://localhost:${port}`,
    STAKEOUT_HTTP_PORT: String(port),
  };
}

class DocumentRun {
  private readonly started: ChildProcess[] = [];
  private output = '';

  constructor(
    private readonly file: string,
    private readonly sandbox: Sandbox,
  ) {}

  async take(block: Block, next: Block | undefined): Promise<void> {
    const text = this.asHere(block.text);
    switch (block.kind) {
      case 'file': {
        const name = path.join(this.sandbox.folder, block.name);
        mkdirSync(path.dirname(name), { recursive: true });
        writeFileSync(name, `${text}\n`);
        return;
      }
      case 'start':
        return this.start(block, text);
      case 'stop':
        return this.stop();
      case 'run':
      case 'fails':
        return this.run(block, text);
      case 'retry':
        return this.retry(block, text, next?.kind === 'expect' ? next.text : '');
      case 'watch':
        return this.watch(block, text, next?.kind === 'expect' ? next.text : '');
      case 'expect': {
        const missing = missingIn(this.output, text);
        if (missing !== null) throw this.failure(block, `"${missing}" is not in what the command before it printed`);
      }
    }
  }

  /** Ends what was started, as Ctrl-C would. */
  async stop(): Promise<void> {
    for (const child of this.started.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      process.kill(-child.pid!, 'SIGINT');
      await exit;
    }
  }

  private async run(block: Block, text: string): Promise<void> {
    const status = await this.shell(text);
    if ((status === 0) !== (block.kind === 'run')) throw this.failure(block, `ended with status ${status}`);
  }

  private async retry(block: Block, text: string, expected: string): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    while ((await this.shell(text)) !== 0 || missingIn(this.output, expected) !== null) {
      if (performance.now() > giveUpAt) throw this.failure(block, 'never printed what the document says');
      await sleep(RETRY_MS);
    }
  }

  private async watch(block: Block, text: string, expected: string): Promise<void> {
    const child = this.listenTo(this.spawn(text));
    const exit = once(child, 'close');
    const isThere = () => this.output !== '' && missingIn(this.output, expected) === null;
    await until(isThere, () => this.failure(block, 'never printed what the document says').message, PATIENCE_MS);
    process.kill(-child.pid!, 'SIGINT');
    await exit;
  }

  private asHere(text: string): string {
    const { addresses } = this.sandbox;
    return text.replace(
      new RegExp([...addresses.keys()].toReversed().join('|'), 'g'),
      (shown) => addresses.get(shown)!,
    );
  }

  private async shell(text: string): Promise<number | null> {
    const child = this.listenTo(this.spawn(text));
    const [status] = (await once(child, 'close')) as [number | null];
    return status;
  }

  private async start(block: Block, text: string): Promise<void> {
    const child = this.listenTo(this.spawn(text));
    this.started.push(child);
    await until(
      async () => {
        if (child.exitCode !== null) throw this.failure(block, `ended with status ${child.exitCode}`);
        return (await fetch(`http://127.0.0.1:${this.sandbox.port}/health/ready`).catch(() => null))?.ok === true;
      },
      () => `the service to be ready:\n${this.output}`,
      PATIENCE_MS,
    );
  }

  /** What it prints is the output from now on. */
  private listenTo(child: ChildProcess): ChildProcess {
    this.output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data) => {
        this.output += String(data);
      });
    return child;
  }

  private spawn(text: string): ChildProcess {
    const { folder, env } = this.sandbox;
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    // A group of its own, so that what the shell has started ends with it.
    return spawn('bash', ['-euo', 'pipefail', '-c', text], { cwd: folder, env, stdio: [...stdio], detached: true });
  }

  private failure(block: Block, what: string): Error {
    return new Error(`${this.file}:${block.line}: ${what}:\n${block.text}\n--- printed:\n${this.output.slice(-4_000)}`);
  }
}
