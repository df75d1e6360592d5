import * as api from '../api/calls.js';
import { useResource, useTitle } from '../lib/hooks.js';
import { to } from '../lib/router.js';
import { Empty, Loaded, Note } from '../parts/basics.js';
import { RevisionList } from '../revision/revision-list.js';

export default function RevisionsPage() {
  useTitle('Revisions');
  const all = useResource(
    async (signal) => {
      const [revisions, status] = await Promise.all([api.revisions(signal), api.status(signal)]);
      return { revisions, rules: status.rules };
    },
    [],
    10_000,
  );
  return (
    <div class="page">
      <div class="page-head">
        <h1>Revisions</h1>
        <span class="faint">all that was published, by whom, when and why</span>
      </div>
      <Loaded of={all}>
        {({ revisions, rules }) => (
          <>
            {rules !== null && !rules.intact && (
              <Note tone="critical">
                Someone has changed the history: {rules.trouble ?? 'it is not believed beyond that place'}
              </Note>
            )}
            {revisions.length === 0 ? (
              <section class="panel">
                <Empty title="Nothing was published yet">
                  <p>The rules of the folder run. What you publish becomes a revision here.</p>
                  <a class="button" href={to(['patterns'])}>
                    To the patterns
                  </a>
                </Empty>
              </section>
            ) : (
              <RevisionList revisions={revisions} onChanged={all.reload} />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}
