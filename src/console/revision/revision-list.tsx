import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Revision } from '../api/types.js';
import { Differences } from '../editor/editor.js';
import { useResource } from '../lib/hooks.js';
import { Loaded, Time } from '../parts/basics.js';
import { Changes } from '../parts/changes.js';
import { type SignedAct, SignedDialog } from '../parts/signed-dialog.js';
import { say } from '../parts/toasts.js';

const TONE = { live: 'good', pending: 'high', replaced: 'calm' } as const;
const WORD = { live: 'in force', pending: 'waits for approval', replaced: 'replaced' } as const;

interface RevisionListProps {
  readonly revisions: readonly Revision[];
  /** Only the differences of this rule. */
  readonly of?: string;
  readonly onChanged: () => void;
}

type Asked = { readonly what: 'rollback' | 'approve'; readonly n: number };

export function RevisionList({ revisions, of, onChanged }: RevisionListProps) {
  const [open, setOpen] = useState<string | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  return (
    <>
      <ol class="panel revisions">
        {revisions.map((entry) => (
          <li key={entry.hash}>
            <div class="row">
              <strong class="number">
                {entry.kind === 'approval' ? `Approval of ${entry.n}` : `Revision ${entry.n}`}
              </strong>
              {entry.kind === 'revision' && <span class={`badge ${TONE[entry.state]}`}>{WORD[entry.state]}</span>}
              {entry.rollbackTo !== null && <span class="badge calm">back to {entry.rollbackTo}</span>}
              <span class="soft">
                {entry.author}, <Time ms={entry.at} />
              </span>
              <span class="grow">{entry.message}</span>
              {entry.kind === 'revision' && (
                <span class="row">
                  {entry.state === 'pending' && (
                    <button
                      type="button"
                      class="button main-action"
                      onClick={() => setAsked({ what: 'approve', n: entry.n })}
                    >
                      Approve…
                    </button>
                  )}
                  {entry.state === 'replaced' && (
                    <button type="button" class="button" onClick={() => setAsked({ what: 'rollback', n: entry.n })}>
                      Bring back…
                    </button>
                  )}
                  <button
                    type="button"
                    class="button"
                    aria-expanded={open === entry.hash}
                    onClick={() => setOpen(open === entry.hash ? null : entry.hash)}
                  >
                    What changed
                  </button>
                </span>
              )}
            </div>
            <Changes changes={entry.changes} />
            {open === entry.hash && <Detail n={entry.n} of={of} />}
          </li>
        ))}
      </ol>
      {asked !== null && (
        <Confirm
          {...asked}
          onClose={() => setAsked(null)}
          onDone={() => {
            setAsked(null);
            onChanged();
          }}
        />
      )}
    </>
  );
}

function Detail({ n, of }: { readonly n: number; readonly of?: string | undefined }) {
  const detail = useResource((signal) => api.revision(n, signal), [n]);
  return (
    <Loaded of={detail}>
      {({ changed, changedTests }) => (
        <div class="stack tight">
          {changed
            .filter(({ id }) => of === undefined || id === of)
            .map((change) => (
              <Change key={change.id} title={change.id} {...change} />
            ))}
          {changedTests
            .filter(({ id }) => of === undefined || id === of)
            .map((change) => (
              <Change key={change.id} title={`${change.id}: tests`} {...change} />
            ))}
          {changed.length + changedTests.length === 0 && (
            <p class="faint">Its texts differ in ways that change nothing in what is found.</p>
          )}
        </div>
      )}
    </Loaded>
  );
}

interface ChangeProps {
  readonly title: string;
  readonly before: string | null;
  readonly after: string | null;
}

function Change({ title, before, after }: ChangeProps) {
  return (
    <section aria-label={title}>
      <h2 class="mono">{title}</h2>
      <Differences before={before ?? ''} after={after ?? ''} />
    </section>
  );
}

interface ConfirmProps extends Asked {
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function Confirm({ what, n, onClose, onDone }: ConfirmProps) {
  const title = what === 'approve' ? `Bring revision ${n} into force` : `Bring back the rules of revision ${n}`;
  const act: SignedAct = async (by) => {
    const { revision, outcome } = await (what === 'approve' ? api.approve(n, by) : api.rollback(n, by));
    say(outcome === 'pending' ? `Revision ${revision} waits for approval.` : `Revision ${revision} is in force.`);
    onDone();
  };
  return (
    <SignedDialog
      title={title}
      why="Why"
      action={what === 'approve' ? 'Approve' : 'Bring back'}
      onClose={onClose}
      act={act}
    >
      {what === 'rollback' && <p class="soft">It becomes a new revision; nothing is taken out of the history.</p>}
    </SignedDialog>
  );
}
