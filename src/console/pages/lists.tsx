import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import { useNow, useResource, useTitle } from '../lib/hooks.js';
import type { Place } from '../lib/router.js';
import { ListPage } from '../list/list-page.js';
import { ListsTable } from '../list/lists-table.js';
import { NewListDialog } from '../list/new-list-dialog.js';
import { Empty, Loaded } from '../parts/basics.js';

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
              <ListsTable lists={all} now={now} />
            )
          }
        </Loaded>
      </section>
      {isMaking && <NewListDialog onClose={() => setIsMaking(false)} />}
    </div>
  );
}
