import * as api from '../api/calls.js';
import type { Checkpoint, Lane, Lanes, Partition, Status } from '../api/types.js';
import { ago, bytes, compact, duration, number } from '../lib/format.js';
import { useNow, useResource, useTitle } from '../lib/hooks.js';
import { Empty, Loaded, Note, Panel, Time } from '../parts/basics.js';
import { ScrollX } from '../parts/scroll-x.js';
import { ListsPanel, SavepointsPanel, SinksPanel, StreamsPanel } from '../system/side-panels.js';

const EVERY_MS = 2_000;

export default function SystemPage() {
  useTitle('System');
  const now = useNow(1_000);
  const all = useResource(
    async (signal) => {
      const [status, lanes] = await Promise.all([api.status(signal), api.lanes(signal)]);
      return { status, lanes };
    },
    [],
    EVERY_MS,
  );
  return (
    <div class="page">
      <div class="page-head">
        <h1>System</h1>
        {all.data !== null && (
          <span class="faint">
            {all.data.status.name}, stakeout {all.data.status.version} on the {all.data.status.log} log
          </span>
        )}
      </div>
      <Loaded of={all}>
        {({ status, lanes }) => (
          <>
            {lanes.trouble !== null && <Note tone="critical">{lanes.trouble}</Note>}
            {status.alertsTrouble !== null && <Note tone="critical">Alerts: {status.alertsTrouble}</Note>}
            <Overview status={status} lanes={lanes} />
            <Partitions lanes={lanes} now={now} />
            <SinksPanel sinks={status.sinks} />
          </>
        )}
      </Loaded>
      <div class="halves">
        <StreamsPanel />
        <ListsPanel />
      </div>
      <SavepointsPanel />
    </div>
  );
}

function Overview({ status: { detector }, lanes }: { readonly status: Status; readonly lanes: Lanes }) {
  if (detector === null) return <Note>The service is starting.</Note>;
  const sum = (of: (partition: Partition) => number) =>
    detector.partitions.reduce((total, each) => total + of(each), 0);
  const lag = sum((partition) => partition.lag);
  const figures = [
    ['State', lanes.phase, ''],
    ['Records read', compact(detector.recordsIn), ''],
    ['Lag', compact(lag), 'records'],
    ['Keys', compact(sum(({ keys }) => keys)), ''],
    ['Partial matches', compact(sum(({ runs }) => runs)), ''],
    ['Late', compact(detector.late), ''],
    ['Dead letters', compact(detector.deadLettered), ''],
    ['Dropped by limits', compact(detector.runsDropped + detector.matchesDropped), ''],
  ] as const;
  return (
    <dl class="figures">
      {figures.map(([name, figure, unit]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {figure} {unit && <small>{unit}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Partitions({ lanes, now }: { readonly lanes: Lanes; readonly now: number }) {
  if (lanes.items.length === 0)
    return (
      <section class="panel">
        <Empty title="This instance owns no partitions yet" />
      </section>
    );
  return (
    <Panel
      title="Partitions"
      note={`of ${lanes.items.length === 1 ? 'one lane' : `${lanes.items.length} lanes`} here`}
      bare
    >
      <ScrollX label="Table of partitions">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Partition</th>
              <th scope="col">State</th>
              {['Lag', 'Position', 'Watermark', 'Behind', 'Keys', 'Runs', 'Waiting'].map((name) => (
                <th key={name} scope="col" class="end">
                  {name}
                </th>
              ))}
              <th scope="col">Checkpoint</th>
            </tr>
          </thead>
          <tbody>
            {lanes.items.map((lane) => (
              <LaneRows key={lane.lane} lane={lane} now={now} />
            ))}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

function LaneRows({ lane: { lane, load, partitions }, now }: { readonly lane: Lane; readonly now: number }) {
  return (
    <>
      <tr class="lane-row">
        <th scope="rowgroup" colSpan={10}>
          Lane {lane}
          {load !== null && (
            <span class="faint">
              {' '}
              busy {duration(load.busySeconds * 1000)}, garbage collection {duration(load.gcSeconds * 1000)}, heap{' '}
              {bytes(load.heapBytes)}
              {load.restarts > 0 ? `, ${load.restarts} restarts` : ''}
            </span>
          )}
        </th>
      </tr>
      {partitions.map((partition) => (
        <PartitionRow key={`${partition.topic}/${partition.partition}`} of={partition} now={now} />
      ))}
    </>
  );
}

function PartitionRow({ of, now }: { readonly of: Lane['partitions'][number]; readonly now: number }) {
  const { topic, partition, phase, idle, lag, position, watermark, keys, runs, buffered, checkpoint, filling } = of;
  return (
    <tr>
      <td class="mono">
        {topic}/{partition}
      </td>
      <td>
        <span class={`badge ${phase === 'live' ? 'good' : 'medium'}`}>{phase}</span>{' '}
        {idle && <span class="badge calm">idle</span>} {filling && <span class="badge medium">filling</span>}
      </td>
      <td class={`end number ${lag > 10_000 ? 'critical' : ''}`}>{compact(lag)}</td>
      <td class="end number soft">{number(position)}</td>
      <td class="end">{watermark === null ? '–' : <Time ms={watermark} />}</td>
      <td class="end number soft">{watermark === null ? '–' : duration(Math.max(0, now - watermark))}</td>
      <td class="end number">{compact(keys)}</td>
      <td class="end number">{compact(runs)}</td>
      <td class="end number">{compact(buffered)}</td>
      <td class="nowrap">
        <CheckpointCell of={checkpoint} now={now} />
      </td>
    </tr>
  );
}

function CheckpointCell({ of, now }: { readonly of: Checkpoint | null; readonly now: number }) {
  if (of === null) return <span class="faint">none are made</span>;
  return (
    <>
      {of.degraded && (
        <span class="badge critical" title={of.lastFailure ?? ''}>
          failing
        </span>
      )}{' '}
      {of.at === null ? <span class="faint">not yet</span> : <span class="number">{ago(of.at, now)}</span>}{' '}
      <span class="faint number">{bytes(of.bytesWritten)} in all</span>
    </>
  );
}
