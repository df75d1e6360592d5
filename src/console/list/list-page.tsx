import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import { listEntries } from '../api/list-calls.js';
import type { ReferenceList } from '../api/types.js';
import { number, plural } from '../lib/format.js';
import { useNow, useResource, useSettled, useTitle } from '../lib/hooks.js';
import { to } from '../lib/router.js';
import { Empty, Loaded, Note, Panel, Time } from '../parts/basics.js';
import { ScrollX } from '../parts/scroll-x.js';
import { EntryDialog } from './entry-dialog.js';
import { type Changed, Places } from './places.js';

const SHOWN = 200;
const EVERY_MS = 10_000;

/** One list: what is in it, and changing that. */
export function ListPage({ name }: { readonly name: string }) {
  useTitle(name);
  const now = useNow(5_000);
  const list = useResource((signal) => api.list(name, signal), [name], EVERY_MS);
  const [changed, setChanged] = useState<Changed | null>(null);
  const [asked, setAsked] = useState<{ readonly entry: string | null } | null>(null);
  return (
    <div class="page">
      <header class="stack tight">
        <nav aria-label="Way back" class="faint">
          <a class="linked" href={to(['lists'])}>
            Lists
          </a>{' '}
          / <span class="mono">{name}</span>
        </nav>
        <div class="page-head">
          <h1>
            <span class="mono">{name}</span>
          </h1>
          {list.data !== null && <Facts list={list.data} now={now} />}
          {list.data?.source === null && (
            <div class="actions">
              <button type="button" class="button main-action" onClick={() => setAsked({ entry: null })}>
                Add an entry…
              </button>
            </div>
          )}
        </div>
      </header>
      {changed !== null && <Places key={changed.list.digest} of={changed} />}
      <Loaded of={list}>
        {(of) => (
          <>
            {of.trouble !== null && <Note tone="critical">{of.trouble}</Note>}
            {of.source !== null && (
              <Note>
                It is read from <span class="mono">{of.source}</span>, and changed there alone.
              </Note>
            )}
            <Entries list={of} onRemove={(entry) => setAsked({ entry })} />
          </>
        )}
      </Loaded>
      {asked !== null && list.data !== null && (
        <EntryDialog
          list={list.data}
          entry={asked.entry}
          onClose={() => setAsked(null)}
          onChanged={(what) => {
            setAsked(null);
            setChanged(what);
            list.reload();
          }}
        />
      )}
    </div>
  );
}

function Facts({
  list: { kind, entries, changed, usedBy },
  now,
}: {
  readonly list: ReferenceList;
  readonly now: number;
}) {
  return (
    <span class="faint">
      {kind === 'map' ? plural(entries, 'key with a value', 'keys with values') : plural(entries, 'entry', 'entries')}
      {'; asked by '}
      {usedBy.length === 0
        ? 'no rule'
        : usedBy.map((id, n) => (
            <span key={id}>
              {n > 0 && ', '}
              <a class="linked mono" href={to(['patterns', id])}>
                {id}
              </a>
            </span>
          ))}
      {changed !== null && (
        <>
          {'; changed '}
          <Time ms={changed.at} now={now} /> by {changed.author}
          {changed.message !== '' && ` (${changed.message})`}
        </>
      )}
    </span>
  );
}

interface EntriesProps {
  readonly list: ReferenceList;
  readonly onRemove: (entry: string) => void;
}

function Entries({ list: { name, kind, digest, entries, source }, onRemove }: EntriesProps) {
  const [words, setWords] = useState('');
  const q = useSettled(words.trim(), 250);
  const found = useResource((signal) => listEntries(name, { q, limit: SHOWN }, signal), [name, q, digest]);
  return (
    <Panel
      title="Entries"
      note={found.data !== null && noteOf(found.data.length, entries, q)}
      actions={
        <input
          class="input"
          type="search"
          aria-label="Find an entry"
          placeholder="Find an entry"
          value={words}
          onInput={({ currentTarget }) => setWords(currentTarget.value)}
        />
      }
      bare
    >
      <Loaded of={found}>
        {(items) =>
          items.length === 0 ? (
            <Empty title={q === '' ? 'The list is empty' : `Nothing in it has “${q}”`} />
          ) : (
            <ScrollX label="Table of entries">
              <table class="table entries">
                <thead>
                  <tr>
                    <th scope="col">{kind === 'map' ? 'Key' : 'Entry'}</th>
                    {kind === 'map' && <th scope="col">Value</th>}
                    <th scope="col">
                      <span class="unseen">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map(({ key, value }) => (
                    <tr key={key}>
                      <td class="mono">{key}</td>
                      {kind === 'map' && <td class="mono">{value}</td>}
                      <td class="end">
                        {source === null && (
                          <button
                            type="button"
                            class="button plain"
                            aria-label={`Remove ${key}`}
                            onClick={() => onRemove(key)}
                          >
                            Remove
                          </button>
                        )}
                      </td>
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

function noteOf(shown: number, all: number, q: string): string {
  if (shown === SHOWN && all > SHOWN) return q === '' ? `${SHOWN} of ${number(all)}` : `the first ${SHOWN} found`;
  return q === '' ? '' : plural(shown, 'found', 'found');
}
