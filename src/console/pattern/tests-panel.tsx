import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { RanTests } from '../api/types.js';
import { Editor } from '../editor/editor.js';
import { plural } from '../lib/format.js';
import { Note, Panel, Trouble } from '../parts/basics.js';

interface TestsPanelProps {
  readonly yaml: string;
  readonly tests: string;
  readonly onTests: (text: string) => void;
  readonly isBroken: boolean;
}

/** The rule's own tests, run by the service against the text as it stands. */
export function TestsPanel({ yaml, tests, onTests, isBroken }: TestsPanelProps) {
  const [ran, setRan] = useState<RanTests | Error | 'running' | null>(null);
  const [open, setOpen] = useState(false);
  const run = async () => {
    setRan('running');
    try {
      setRan(await api.runTests(yaml, tests));
    } catch (error) {
      setRan(error as Error);
    }
  };
  const result = ran instanceof Error || ran === 'running' ? null : ran;
  const wrong = result?.errors ?? [];
  return (
    <Panel
      title="Tests"
      note={
        result !== null && wrong.length === 0 ? (
          <span class={`badge ${result.failed > 0 ? 'critical' : 'good'}`} role="status">
            {result.passed} passed, {result.failed} failed
          </span>
        ) : (
          ''
        )
      }
      actions={
        <>
          <button type="button" class="button plain" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Hide' : 'Edit'} tests.yaml
          </button>
          <button
            type="button"
            class="button"
            disabled={isBroken || tests.trim() === '' || ran === 'running'}
            onClick={run}
          >
            {ran === 'running' ? 'Running' : 'Run'}
          </button>
        </>
      }
      bare
    >
      {open && (
        <div class="tests-editor">
          <Editor
            label="Tests of the rule, in YAML"
            text={tests}
            onChange={onTests}
            diagnostics={wrong.filter(({ file }) => file.includes('tests'))}
            keys={{ 'Mod-Enter': () => void run() }}
          />
        </div>
      )}
      <div class="body stack tight">
        {ran instanceof Error && <Trouble error={ran} />}
        {wrong.map(({ file, line, message, hint }) => (
          <Note key={`${file}${line}${message}`} tone="critical">
            {file}:{line} {message} {hint}
          </Note>
        ))}
        {result?.failures.map(({ test, line, message }) => (
          <Note key={test} tone="critical">
            <strong>{test}</strong> (line {line})<pre>{message}</pre>
          </Note>
        ))}
        {result !== null && wrong.length === 0 && result.failed === 0 && result.passed > 0 && (
          <p class="soft">{plural(result.passed, 'test')} passed against the text as it stands.</p>
        )}
        {ran === null && (
          <p class="faint">
            {tests.trim() === ''
              ? 'There are no tests yet. Write some: events that go in, alerts that come out.'
              : 'Not run against this text yet.'}
          </p>
        )}
      </div>
    </Panel>
  );
}
