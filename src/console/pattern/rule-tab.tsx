import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Diagnostic, PatternDetail } from '../api/types.js';
import type { CodeEditor } from '../editor/code-editor.js';
import { Editor } from '../editor/editor.js';
import { useResource, useSettled } from '../lib/hooks.js';
import { go, to } from '../lib/router.js';
import { NfaDrawing } from '../nfa/drawing.js';
import { Empty, Panel, Trouble } from '../parts/basics.js';
import { BacktestPanel } from './backtest-panel.js';
import { type Draft, dropDraft, keepDraft, readDraft, TEMPLATE, TESTS_TEMPLATE, withStatus } from './draft.js';
import { Problems } from './problems.js';
import { PublishDialog } from './publish-dialog.js';
import { TestsPanel } from './tests-panel.js';

interface RuleTabProps {
  readonly id: string;
  /** Null: it is new. */
  readonly pattern: PatternDetail | null;
  readonly onPublished: () => void;
}

const NONE: readonly Diagnostic[] = [];

export function RuleTab({ id, pattern, onPublished }: RuleTabProps) {
  const published = pattern?.yaml ?? TEMPLATE;
  const [draft, setDraft] = useState<Draft>(() => readDraft(id) ?? { yaml: published, tests: null });
  const [publishing, setPublishing] = useState(false);
  const editor = useRef<CodeEditor | null>(null);
  const words = useResource((signal) => api.vocabulary(signal), []);
  const own = useResource(async (signal) => (pattern === null ? null : (await api.tests(id, signal)).text), [id]);
  const tests = draft.tests ?? (pattern === null ? TESTS_TEMPLATE : (own.data ?? ''));
  // Those of the template show how tests are written: a rule of one's own is not published with them.
  const testsSent = draft.tests ?? (pattern === null ? '' : undefined);
  const settled = useSettled(draft.yaml, 200);
  const file = pattern?.file ?? 'pattern.yaml';
  const outline = useResource((signal) => api.outline({ file, text: settled }, signal), [settled, file]);
  const looked = useLast(outline.data);
  const diagnostics = outline.data?.diagnostics ?? looked?.diagnostics ?? NONE;
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const areTestsChanged = draft.tests !== null && draft.tests !== (own.data ?? '');
  const isChanged = draft.yaml !== published || areTestsChanged;

  const change = useCallback((more: Partial<Draft>) => setDraft((before) => ({ ...before, ...more })), []);
  useEffect(() => {
    if (draft.yaml === published && draft.tests === null) dropDraft(id);
    else keepDraft(id, draft);
  }, [draft, published, id]);
  // What was found is not of the text any more until it has been looked at again.
  const shown = useMemo(() => (settled === draft.yaml ? diagnostics : NONE), [settled, draft.yaml, diagnostics]);
  const drawn = looked?.automaton ?? null;
  return (
    <>
      <div class="workbench">
        <section class="panel bench-editor" aria-label="Rule">
          <header>
            <h2>pattern.yaml</h2>
            <span class="faint" role="status">
              {isChanged ? 'changed' : pattern === null ? 'new' : 'as published'}
              {errors > 0 ? `, ${errors} ${errors === 1 ? 'error' : 'errors'}` : ''}
            </span>
            <div class="actions">
              {isChanged && pattern !== null && (
                <button type="button" class="button plain" onClick={() => change({ yaml: published, tests: null })}>
                  Throw away
                </button>
              )}
              <button
                type="button"
                class="button main-action"
                disabled={errors > 0 || outline.data?.rule === null}
                onClick={() => setPublishing(true)}
              >
                Publish…
              </button>
            </div>
          </header>
          <Editor
            label="The rule, in YAML"
            text={draft.yaml}
            onChange={(yaml) => change({ yaml })}
            diagnostics={shown}
            words={words.data}
            keys={{ 'Mod-s': () => errors === 0 && setPublishing(true) }}
            onReady={(made) => {
              editor.current = made;
            }}
          />
          <Problems diagnostics={diagnostics} onGo={({ line, column }) => editor.current?.goTo(line, column)} />
        </section>
        <div class="stack">
          <Panel title="Automaton" note={errors > 0 && drawn !== null ? 'of the last text without errors' : ''}>
            {outline.error !== null && <Trouble error={outline.error} again={outline.reload} />}
            {drawn !== null ? (
              <NfaDrawing automaton={drawn} steps={looked?.rule?.steps ?? []} />
            ) : (
              <Empty title={looked?.rule ? 'A window that emits has no automaton' : 'Nothing to draw yet'} />
            )}
          </Panel>
          <TestsPanel
            yaml={draft.yaml}
            tests={tests}
            onTests={(text) => change({ tests: text })}
            isBroken={errors > 0}
          />
          <BacktestPanel
            id={looked?.rule?.id ?? id}
            file={file}
            yaml={draft.yaml}
            isNew={pattern === null}
            isBroken={errors > 0}
          />
        </div>
      </div>
      {publishing && (
        <PublishDialog
          id={looked?.rule?.id ?? id}
          yaml={draft.yaml}
          tests={testsSent}
          testsShown={testsSent ?? own.data ?? ''}
          before={pattern?.yaml ?? ''}
          onStatus={(status) => change({ yaml: withStatus(draft.yaml, status) })}
          status={looked?.rule?.status ?? 'draft'}
          onClose={() => setPublishing(false)}
          onDone={(of) => {
            setPublishing(false);
            dropDraft(id);
            if (pattern === null) {
              go(to(['patterns', of]));
              return;
            }
            change({ tests: null });
            own.reload();
            onPublished();
          }}
        />
      )}
    </>
  );
}

/** The last answer that had no errors, so that the drawing stays while one writes. */
function useLast<T extends { readonly rule: unknown }>(data: T | null): T | null {
  const last = useRef<T | null>(null);
  if (data !== null && (data.rule !== null || last.current === null)) last.current = data;
  return last.current;
}
