import type { Measured } from '../measure/passes.js';
import type { ComparedPeer, PeerFailure } from '../peers.js';
import {
  type BenchEntry,
  type FailedEntry,
  type KeysEntry,
  nameOf,
  type ReloadEntry,
  type ThroughputEntry,
} from '../run-bench.js';
import { megabytes, milliseconds, percent, short, times, whole } from './numbers.js';
import { type Column, formatTable } from './table.js';

/** Half of what lies between the least and the most, beside the median. */
const spread = ({ min, max, eventsPerSecond }: Measured): string => `±${percent((max - min) / 2 / eventsPerSecond)}`;

const COLUMNS: readonly Column<ThroughputEntry>[] = [
  { title: 'workload', align: 'left', text: (e) => e.workload },
  { title: 'stream', align: 'left', text: (e) => e.stream },
  { title: 'mode', align: 'left', text: (e) => e.mode },
  { title: 'matches', text: (e) => `${whole(e.matches)}${e.countsAgree ? '' : ' WRONG'}` },
  { title: 'events/s', text: (e) => whole(e.eventsPerSecond) },
  { title: '', text: spread },
  { title: 'µs CPU', text: (e) => short(e.cpuMicrosPerEvent) },
  { title: 'bytes/key', text: (e) => (e.bytesPerKey === null ? '–' : whole(e.bytesPerKey)) },
  { title: 'longest GC', text: (e) => milliseconds(e.gc.longestMs) },
  { title: 'floor/s', text: (e) => whole(e.floor.eventsPerSecond) },
  { title: 'of floor', text: (e) => percent(e.floor.ratio) },
  { title: 'by CPU', text: (e) => percent(e.floor.cpuRatio) },
];

const UNREAD: Column<ThroughputEntry> = {
  title: 'unread/s',
  text: (e) => (e.unread === null ? '–' : whole(e.unread.eventsPerSecond)),
};
const RELATIVE: Column<ThroughputEntry> = {
  title: 'of the first',
  text: (e) => (e.relative === null ? '–' : percent(e.relative)),
};
const PEERS: Column<ThroughputEntry> = {
  title: 'peers/s',
  align: 'left',
  text: ({ peers }) => (peers === null ? 'not built' : peers.length === 0 ? '–' : peers.map(peerText).join(', ')),
};

function peerText(peer: ComparedPeer | PeerFailure): string {
  if ('error' in peer) return `${peer.engine} failed`;
  return `${peer.engine} ${whole(peer.eventsPerSecond)} (${times(peer.ratio)}, ${whole(peer.matches)} matches)`;
}

/** What was found, for people: a table for the workloads, one for each sweep, and what is wrong. */
export function formatReport(entries: readonly BenchEntry[]): string {
  const measured = entries.filter((entry) => entry.kind === 'throughput');
  const tables = [...new Set(measured.map(({ sweep }) => sweep))].map((sweep) =>
    tableOf(measured.filter((entry) => entry.sweep === sweep)),
  );
  const others = entries.flatMap((entry) =>
    entry.kind === 'keys' ? keysText(entry) : entry.kind === 'reload' ? reloadText(entry) : [],
  );
  const failed = entries.filter((entry) => entry.kind === 'failed');
  return [...tables, ...others, ...remarks(measured, failed)].join('\n\n');
}

function keysText(entry: KeysEntry): string {
  const { batch, gc } = entry;
  return [
    `${whole(entry.keys)} keys with ${whole(entry.runs)} runs under way: ${whole(entry.bytesPerKey)} bytes/key, ${megabytes(entry.rssBytes)} resident, ${whole(entry.hotKeys)} keys as objects`,
    `  ${whole(entry.updates)} updates of random keys: ${whole(entry.updatesPerSecond)} events/s`,
    `  a batch of ${whole(batch.events)}: p50 ${milliseconds(batch.p50Ms)}, p99.9 ${milliseconds(batch.p999Ms)}, longest ${milliseconds(batch.longestMs)}`,
    `  GC pauses: ${whole(gc.count)} (${whole(gc.major)} major), ${milliseconds(gc.totalMs)} together, p99.9 ${milliseconds(gc.p999Ms)}, longest ${milliseconds(gc.longestMs)}`,
    ...(entry.countsAgree ? [] : ['  WRONG: not every key has its run']),
  ].join('\n');
}

function reloadText(entry: ReloadEntry): string {
  return [
    `one pattern added to ${whole(entry.patterns)}: ${milliseconds(entry.addOneMs)} (longest ${milliseconds(entry.addOneLongestMs)}), ${whole(entry.patternsCompiled)} pattern and ${whole(entry.predicatesCompiled)} predicates compiled${entry.countsAgree ? '' : ' WRONG'}`,
    `  all of them from nothing: ${milliseconds(entry.compileAllMs)}; reading one rule: ${milliseconds(entry.readMs)}`,
  ].join('\n');
}

function tableOf(entries: readonly ThroughputEntry[]): string {
  const isSweep = entries[0]!.sweep !== null;
  const hasUnread = entries.some(({ unread }) => unread !== null);
  return formatTable([...COLUMNS, ...(hasUnread ? [UNREAD] : []), isSweep ? RELATIVE : PEERS], entries);
}

/** More processors in use by others, on average, make a figure doubtful. */
const FOREIGN_MAX = 0.1;

function remarks(measured: readonly ThroughputEntry[], failed: readonly FailedEntry[]): readonly string[] {
  const lines = [
    ...measured.filter(({ countsAgree }) => !countsAgree).map(wrongCount),
    ...failed.map(({ job, error }) => `FAILED ${nameOf(job)}: ${firstLine(error)}`),
    ...measured.flatMap(({ peers }) => (peers ?? []).flatMap((p) => ('error' in p ? `${p.engine}: ${p.error}` : []))),
  ];
  const busiest = Math.max(0, ...measured.map(foreignProcessors));
  if (busiest > FOREIGN_MAX) {
    lines.push(
      `Others used up to ${short(busiest)} processors meanwhile: trust ratios within one line, not absolutes.`,
    );
  }
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function wrongCount(entry: ThroughputEntry): string {
  const counts = `the engine found ${whole(entry.matches)}, the floor ${whole(entry.floor.matches)}`;
  return `WRONG ${entry.workload} on ${entry.stream}, ${entry.mode}: there are ${whole(entry.expected)} matches; ${counts}.`;
}

/** Without the stack, which `--json` has. */
const firstLine = (text: string): string => text.split('\n', 1)[0]!;

/** Processors that others used during the engine's passes, on average. */
function foreignProcessors({ passes }: ThroughputEntry): number {
  const seconds = passes.reduce((sum, pass) => sum + pass.seconds, 0);
  return passes.reduce((sum, pass) => sum + (pass.foreignCpuSeconds ?? 0), 0) / seconds;
}

/** One line when an entry is done, for those who wait. */
export function formatEntry(entry: BenchEntry): string {
  if (entry.kind === 'failed') return `${nameOf(entry.job)}: failed`;
  if (entry.kind !== 'throughput') return `${entry.workload}: done`;
  return `${nameOf(entry)}: ${whole(entry.eventsPerSecond)} events/s, ${percent(entry.floor.ratio)} of the floor`;
}
