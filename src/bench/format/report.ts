import type { Measured } from '../measure/passes.js';
import type { ComparedPeer, PeerFailure } from '../peers.js';
import { type BenchEntry, type FailedEntry, nameOf, type ThroughputEntry } from '../run-bench.js';
import { milliseconds, percent, short, times, whole } from './numbers.js';
import { type Column, formatTable } from './table.js';

const range = ({ min, max }: Pick<Measured, 'min' | 'max'>): string => `${whole(min)}–${whole(max)}`;

const COLUMNS: readonly Column<ThroughputEntry>[] = [
  { title: 'workload', align: 'left', text: (e) => e.workload },
  { title: 'stream', align: 'left', text: (e) => e.stream },
  { title: 'mode', align: 'left', text: (e) => e.mode },
  { title: 'matches', text: (e) => `${whole(e.matches)}${e.countsAgree ? '' : ' WRONG'}` },
  { title: 'events/s', text: (e) => whole(e.eventsPerSecond) },
  { title: 'least–most', text: range },
  { title: 'CPU µs/event', text: (e) => short(e.cpuMicrosPerEvent) },
  { title: 'keys', text: (e) => whole(e.keys) },
  { title: 'runs', text: (e) => whole(e.runs) },
  { title: 'bytes/key', text: (e) => (e.bytesPerKey === null ? '–' : whole(e.bytesPerKey)) },
  { title: 'GC pauses/pass', text: (e) => short(e.gc.count / e.passes.length) },
  { title: 'longest', text: (e) => milliseconds(e.gc.longestMs) },
  { title: 'floor events/s', text: (e) => whole(e.floor.eventsPerSecond) },
  { title: 'of floor', text: (e) => percent(e.floor.ratio) },
];

const UNREAD: Column<ThroughputEntry> = {
  title: 'matches unread, events/s',
  text: (e) => (e.unread === null ? '–' : whole(e.unread.eventsPerSecond)),
};
const RELATIVE: Column<ThroughputEntry> = {
  title: 'of the first',
  text: (e) => (e.relative === null ? '–' : percent(e.relative)),
};
const PEERS: Column<ThroughputEntry> = {
  title: 'peers, events/s',
  align: 'left',
  text: ({ peers }) => (peers === null ? 'not built' : peers.length === 0 ? '–' : peers.map(peerText).join(', ')),
};

function peerText(peer: ComparedPeer | PeerFailure): string {
  if ('error' in peer) return `${peer.engine} failed`;
  return `${peer.engine} ${whole(peer.eventsPerSecond)} (${times(peer.ratio)}, ${whole(peer.matches)} matches)`;
}

/** What was found, for people: a table for the workloads, one for each sweep, and what is wrong. */
export function formatReport(entries: readonly BenchEntry[]): string {
  const measured = entries.filter((entry) => 'matches' in entry);
  const failed = entries.filter((entry) => 'error' in entry);
  const tables = [...new Set(measured.map(({ sweep }) => sweep))].map((sweep) =>
    tableOf(measured.filter((entry) => entry.sweep === sweep)),
  );
  return [...tables, ...remarks(measured, failed)].join('\n\n');
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
    ...failed.map(({ job, error }) => `FAILED ${nameOf(job)}: ${error}`),
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

/** Processors that others used during the engine's passes, on average. */
function foreignProcessors({ passes }: ThroughputEntry): number {
  const seconds = passes.reduce((sum, pass) => sum + pass.seconds, 0);
  return passes.reduce((sum, pass) => sum + (pass.foreignCpuSeconds ?? 0), 0) / seconds;
}

/** One line when an entry is done, for those who wait. */
export function formatEntry(entry: BenchEntry): string {
  if ('error' in entry) return `${nameOf(entry.job)}: failed`;
  return `${nameOf(entry)}: ${whole(entry.eventsPerSecond)} events/s, ${percent(entry.floor.ratio)} of the floor`;
}
