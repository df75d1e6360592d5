import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import { number } from '../lib/format.js';
import { useNow, useResource, useTitle } from '../lib/hooks.js';
import { type Place, to } from '../lib/router.js';
import { ListPage } from '../list/list-page.js';
import { NewListDialog } from '../list/new-list-dialog.js';
import { Empty, Loaded, Time } from '../parts/basics.js';
import { RuleLinks } from '../parts/rule-links.js';
import { ScrollX } from '../parts/scroll-x.js';

const EVERY_MS = 10_000;

/** The reference lists, or one of them. */
export default function ListsPage({ place }: { readonly place: Place }) {
  const [, name] = place.path;
  return name === undefined ? <AllLists /> : <ListPage key={name} name={name} />;
}

function AllLists() {
  useTitle('Lists');
  const now = useNow(5_000);
  const [isMaking, setIsMaking] = useState(false);
  const lists = useResource((signal) => api.lists(signal), [], EVERY_MS);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Lists</h1>
        <span class="faint">that rules ask, and that change while the service runs</span>
        <div class="actions">
          <button type="button" class="button main-action" onClick={() => setIsMaking(true)}>
            New list…
          </button>
        </div>
      </div>
      <section class="panel" aria-label="All lists">
        <Loaded of={lists}>
          {(all) =>
            all.length === 0 ? (
              <Empty title="There are no lists yet">
                <p>
                  A rule asks a list with <code>country in list('sanctioned')</code>.
                </p>
              </Empty>
            ) : (
              <ScrollX label="Table of lists">
                <table class="table">
                  <thead>
                    <tr>
                      <th scope="col">List</th>
                      <th scope="col" class="end">
                        Entries
                      </th>
                      <th scope="col">From</th>
                      <th scope="col">Asked by</th>
                      <th scope="col">Changed</th>
                    </tr>
                  </thead>
                  <tbody>
                    {all.map(({ name, kind, entries, source, trouble, usedBy, changed }) => (
                      <tr key={name}>
                        <td class="name-cell">
                          <a class="mono" href={to(['lists', name])}>
                            {name}
                          </a>{' '}
                          <span class="faint">{kind}</span>
                          {trouble !== null && <div class="critical">{trouble}</div>}
                        </td>
                        <td class="end number">{number(entries)}</td>
                        <td class="soft">{source ?? 'people, here'}</td>
                        <td>{usedBy.length === 0 ? <span class="faint">no rule</span> : <RuleLinks ids={usedBy} />}</td>
                        <td>
                          {changed === null ? (
                            <span class="faint">–</span>
                          ) : (
                            <>
                              <Time ms={changed.at} now={now} /> <span class="faint">{changed.author}</span>
                            </>
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
      </section>
      {isMaking && <NewListDialog onClose={() => setIsMaking(false)} />}
    </div>
  );
}
