import * as api from '../api/calls.js';
import { useResource } from '../lib/hooks.js';
import { Empty, Loaded } from '../parts/basics.js';
import { RevisionList } from '../revision/revision-list.js';

/** Revisions that changed this pattern. */
export function HistoryTab({ id }: { readonly id: string }) {
  const revisions = useResource((signal) => api.patternRevisions(id, signal), [id]);
  return (
    <Loaded of={revisions}>
      {(all) =>
        all.length === 0 ? (
          <Empty title="It is as it was when the service first started">
            <p>Its revisions appear here once it is published.</p>
          </Empty>
        ) : (
          <RevisionList revisions={all} of={id} onChanged={revisions.reload} />
        )
      }
    </Loaded>
  );
}
