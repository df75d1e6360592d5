import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Status, StreamTable } from '../api/types.js';
import { bytes, compact, dayAndTime, number, plural } from '../lib/format.js';
import { useNow, useResource } from '../lib/hooks.js';
import { ListsTable } from '../list/lists-table.js';
import { Empty, Loaded, Note, Panel, Trouble } from '../parts/basics.js';
import { ScrollX } from '../parts/scroll-x.js';
import { say } from '../parts/toasts.js';

const EVERY_MS = 10_000;

export function SinksPanel({ sinks }: { readonly sinks: Status['sinks'] }) {
  return (
    <Panel title="Sinks" note="where alerts are written to" bare>
      {sinks.length === 0 ? (
        <p class="body faint">None but the topic of alerts.</p>
      ) : (
        <ScrollX label="Table of sinks">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Sink</th>
                <th scope="col">State</th>
                <th scope="col" class="end">
                  Written
                </th>
                <th scope="col" class="end">
                  Behind
                </th>
                <th scope="col">Trouble</th>
              </tr>
            </thead>
            <tbody>
              {sinks.map(({ name, state, written, lag, trouble }) => (
                <tr key={name}>
                  <td class="mono">{name}</td>
                  <td>
                    <span class={`badge ${trouble === null && state === 'running' ? 'good' : 'critical'}`}>
                      {state}
                    </span>
                  </td>
                  <td class="end number">{compact(written)}</td>
                  <td class="end number">{compact(lag)}</td>
                  <td>{trouble ?? <span class="faint">none</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollX>
      )}
    </Panel>
  );
}

export function StreamsPanel() {
  const streams = useResource((signal) => api.streams(signal), [], EVERY_MS);
  return (
    <Panel title="Streams" bare>
      <Loaded of={streams}>
        {(all) => (
          <ScrollX label="Table of streams">
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">Stream</th>
                  <th scope="col">Topics</th>
                  <th scope="col">Format</th>
                  <th scope="col">Key</th>
                </tr>
              </thead>
              <tbody>
                {all.map(({ name, topics, format, key, table, paused }) => (
                  <tr key={name}>
                    <td>
                      <span class="mono">{name}</span> {paused && <span class="badge high">paused</span>}
                    </td>
                    <td>
                      <span class="mono soft">{topics.join(', ')}</span>
                      {table !== null && <TableFeed table={table} />}
                    </td>
                    <td>{format}</td>
                    <td class="mono">{key ?? '–'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollX>
        )}
      </Loaded>
    </Panel>
  );
}

const FEEDS: Readonly<Record<StreamTable['state'], string>> = {
  waiting: 'waits for a rule that reads it',
  feeding: 'is being read',
  paused: 'is paused',
  done: 'is read to its end',
};

function TableFeed({ table: { state, rows, doneAt, trouble } }: { readonly table: StreamTable }) {
  const when = doneAt === null ? '' : `, since ${dayAndTime(doneAt)}`;
  return (
    <div class="soft">
      its table {FEEDS[state]}: {plural(rows, 'row')}
      {when}
      {trouble !== null && <Note tone="critical">{trouble}</Note>}
    </div>
  );
}

export function ListsPanel() {
  const now = useNow(5_000);
  const lists = useResource((signal) => api.lists(signal), [], EVERY_MS);
  return (
    <Panel title="Reference lists" bare>
      <Loaded of={lists}>
        {(all) =>
          all.length === 0 ? (
            <p class="body faint">None are named in the settings.</p>
          ) : (
            <ListsTable lists={all} now={now} />
          )
        }
      </Loaded>
    </Panel>
  );
}

export function SavepointsPanel() {
  const savepoints = useResource((signal) => api.savepoints(signal), [], EVERY_MS);
  const [trouble, setTrouble] = useState<Error | null>(null);
  const make = async () => {
    setTrouble(null);
    try {
      const { name } = await api.makeSavepoint();
      say(`Savepoint ${name} is being written.`);
      savepoints.reload();
    } catch (error) {
      setTrouble(error as Error);
    }
  };
  return (
    <Panel
      title="Savepoints"
      note="the whole state as one file, for another version or machine"
      actions={
        <button type="button" class="button" onClick={make}>
          Make one
        </button>
      }
      bare
    >
      {trouble !== null && <Trouble error={trouble} />}
      <Loaded of={savepoints}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="None since the start of this process" />
          ) : (
            <ScrollX label="Table of savepoints">
              <table class="table">
                <tbody>
                  {all.map(({ name, state, keysWritten, error, savepoint }) => (
                    <tr key={name}>
                      <td class="mono">{name}</td>
                      <td>
                        <span class={`badge ${state === 'done' ? 'good' : state === 'failed' ? 'critical' : 'medium'}`}>
                          {state}
                        </span>
                      </td>
                      <td class="end number">{number(keysWritten)} keys</td>
                      <td class="end number">{savepoint === null ? '' : bytes(savepoint.bytes)}</td>
                      <td class="mono soft">{error ?? savepoint?.path}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollX>
          )
        }
      </Loaded>
    </Panel>
  );
}
