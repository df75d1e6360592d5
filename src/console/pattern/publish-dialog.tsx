import * as api from '../api/calls.js';
import type { RuleStatus } from '../api/types.js';
import { Differences } from '../editor/editor.js';
import { plural } from '../lib/format.js';
import { useResource } from '../lib/hooks.js';
import { Loaded, Note } from '../parts/basics.js';
import { Changes } from '../parts/changes.js';
import { type SignedAct, SignedDialog } from '../parts/signed-dialog.js';
import { say } from '../parts/toasts.js';

interface PublishDialogProps {
  readonly id: string;
  readonly yaml: string;
  /** Published with it; undefined: those that it has. */
  readonly tests: string | undefined;
  /** The same, to be run. */
  readonly testsShown: string;
  /** As it is in force; empty: it is new. */
  readonly before: string;
  readonly status: RuleStatus;
  readonly onStatus: (status: RuleStatus) => void;
  readonly onClose: () => void;
  readonly onDone: (id: string) => void;
}

const STATUSES: readonly (readonly [RuleStatus, string])[] = [
  ['draft', 'kept, not run'],
  ['shadow', 'runs, its alerts apart'],
  ['live', 'runs, and alerts'],
  ['retired', 'not run any more'],
];

/** What publishing would change, then who does it and why. */
export function PublishDialog({
  id,
  yaml,
  tests,
  testsShown,
  before,
  status,
  onStatus,
  onClose,
  onDone,
}: PublishDialogProps) {
  const plan = useResource(() => api.putPattern(id, { yaml, tests, dryRun: true }), [id, yaml, tests]);
  const publish: SignedAct = async (by) => {
    const { outcome, revision } = await api.putPattern(id, { yaml, tests, ...by });
    say(
      outcome === 'pending'
        ? `Revision ${revision} waits for someone else to approve it.`
        : outcome === 'unchanged'
          ? 'Nothing was changed: it is in force already.'
          : `Revision ${revision} is in force.`,
      outcome === 'pending' ? 'high' : 'good',
    );
    onDone(id);
  };
  return (
    <SignedDialog
      title={`Publish ${id}`}
      name="wide"
      why="Why (kept in the history)"
      action="Publish"
      acting="Publishing"
      ready={plan.data !== null}
      onClose={onClose}
      act={publish}
    >
      <fieldset class="choice statuses">
        <legend class="unseen">Status</legend>
        {STATUSES.map(([of, what]) => (
          <label key={of} title={what}>
            <input type="radio" name="status" checked={status === of} onChange={() => onStatus(of)} />
            <span>{of}</span>
          </label>
        ))}
      </fieldset>
      <p class="faint">{STATUSES.find(([of]) => of === status)?.[1]}</p>
      <Loaded of={plan}>
        {({ changes, warnings }) => (
          <>
            <Changes changes={changes} />
            {warnings
              .filter(({ file }) => file.includes(id))
              .map(({ line, message: text }) => (
                <Note key={text} tone="high">
                  Line {line}: {text}
                </Note>
              ))}
          </>
        )}
      </Loaded>
      {before !== '' && before !== yaml && <Differences before={before} after={yaml} />}
      <TestsOf yaml={yaml} tests={testsShown} />
    </SignedDialog>
  );
}

/** Whether the tests that go with it pass. Those that fail keep nobody from publishing: one may know better. */
function TestsOf({ yaml, tests }: { readonly yaml: string; readonly tests: string }) {
  const ran = useResource(async () => (tests.trim() === '' ? null : api.runTests(yaml, tests)), [yaml, tests]);
  const { data, error, loading } = ran;
  if (loading || error !== null)
    return <p class="faint">{loading ? 'Running its tests' : 'Its tests could not be run.'}</p>;
  if (data === null) return <p class="faint">It is published without tests: none were written.</p>;
  const wrong = data.failed + data.errors.length;
  if (wrong === 0)
    return <p class="soft">{plural(data.passed, 'test passes', 'tests pass')}, and published with it.</p>;
  return (
    <Note tone="high">
      {data.errors.length > 0 ? 'Its tests have errors' : `${plural(data.failed, 'test fails', 'tests fail')}`}: look at
      them before you publish. They are published with it as they are.
    </Note>
  );
}
