import { useEffect, useRef, useState } from 'preact/hooks';
import type { Diagnostic, Vocabulary } from '../api/types.js';
import { Trouble, Waiting } from '../parts/basics.js';
import type { CodeEditor } from './code-editor.js';

interface EditorProps {
  readonly label: string;
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly diagnostics: readonly Diagnostic[];
  /** Given: keys and values of patterns are completed. */
  readonly words?: Vocabulary | null;
  readonly keys?: Readonly<Record<string, () => void>>;
  readonly onReady?: (editor: CodeEditor) => void;
}

/** The editor of YAML; its code comes when it is first shown. */
export function Editor({ label, text, onChange, diagnostics, words, keys, onReady }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor | null>(null);
  const [state, setState] = useState<'loading' | 'ready' | Error>('loading');
  const latest = useRef({ onChange, words, keys, text });
  latest.current = { onChange, words, keys, text };
  /** What was told by `onChange`, and has not come back yet. */
  const told = useRef(new Set<string>());
  useEffect(() => {
    let gone = false;
    import('./code-editor.js').then(
      ({ codeEditor }) => {
        if (gone || host.current === null) return;
        const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
        const made = codeEditor({
          ...{ root, label, text: latest.current.text },
          onChange: (next) => {
            told.current.add(next);
            latest.current.onChange(next);
          },
          ...(words === undefined ? {} : { words: () => latest.current.words ?? null }),
          keys: Object.fromEntries(Object.keys(keys ?? {}).map((key) => [key, () => latest.current.keys?.[key]?.()])),
        });
        editor.current = made;
        setState('ready');
        onReady?.(made);
      },
      () => setState(new Error('The editor could not be loaded. Load the console anew.')),
    );
    return () => {
      gone = true;
      editor.current?.destroy();
      editor.current = null;
    };
  }, []);
  // A text that comes from outside goes into the editor; what was typed comes back late, and must not take the place of what was typed since.
  useEffect(() => {
    if (editor.current === null) return;
    const typed = told.current.has(text);
    if (editor.current.text() === text || !typed) told.current.clear();
    if (editor.current.text() !== text && !typed) editor.current.setText(text);
  }, [text]);
  useEffect(() => editor.current?.show(diagnostics), [diagnostics, state]);
  return (
    <div class="editor">
      {state === 'loading' && <Waiting />}
      {state instanceof Error && <Trouble error={state} />}
      <div class="editor-host" ref={host} />
    </div>
  );
}

/** Two texts side by side. */
export function Differences({ before, after }: { readonly before: string; readonly after: string }) {
  const host = useRef<HTMLDivElement>(null);
  const [loading, setLoading] = useState(true);
  useEffect(() => {
    let view: { destroy(): void } | null = null;
    let gone = false;
    void import('./code-editor.js').then(({ differences }) => {
      if (gone || host.current === null) return;
      const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
      view = differences(root, before, after);
      setLoading(false);
    });
    return () => {
      gone = true;
      view?.destroy();
    };
  }, [before, after]);
  return (
    <div class="differences">
      {loading && <Waiting />}
      <div ref={host} />
    </div>
  );
}
