import { autocompletion, type CompletionContext, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { MergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import schema from '../../../schemas/pattern.schema.json';
import type { Diagnostic, Vocabulary } from '../api/types.js';
import { type Schema, suggest } from './suggest.js';

/** Colours are the page's: custom properties reach into the shadow root that the editor lives in. */
const look = EditorView.theme({
  '&': { height: '100%', fontSize: '12.5px', color: 'var(--ink)', backgroundColor: 'var(--panel)' },
  '&.cm-focused': { outline: 'none' },
  // An outline would be under the line numbers.
  '&.cm-focused::after': {
    content: '""',
    position: 'absolute',
    inset: '0',
    zIndex: '300',
    border: '2px solid var(--focus)',
    pointerEvents: 'none',
  },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--ink-faint)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--hover) 60%, transparent)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 25%, transparent)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    color: 'var(--ink)',
    border: '1px solid var(--line)',
    borderRadius: '6px',
    boxShadow: 'var(--shadow)',
    maxWidth: '480px',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--chosen)', color: 'var(--ink)' },
  '.cm-completionInfo': { fontFamily: 'var(--sans)', padding: '6px 10px', maxWidth: '320px' },
  '.cm-completionDetail': { color: 'var(--ink-faint)' },
  '.cm-diagnostic': { padding: '6px 10px', fontFamily: 'var(--sans)', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--critical-mark)' },
  '.cm-diagnostic-warning': { borderLeft: '4px solid var(--medium-mark)' },
  '.cm-lintRange-error': { backgroundImage: 'none', borderBottom: '2px solid var(--critical-mark)' },
  '.cm-lintRange-warning': { backgroundImage: 'none', borderBottom: '2px solid var(--medium-mark)' },
  '.cm-changedLine': { backgroundColor: 'color-mix(in srgb, var(--good-mark) 8%, transparent) !important' },
  // A darker ground would leave the text too little contrast.
  '.cm-changedText': { background: 'none !important', boxShadow: 'inset 0 -2px var(--good-mark)' },
  '&.cm-merge-a .cm-changedLine': {
    backgroundColor: 'color-mix(in srgb, var(--critical-mark) 8%, transparent) !important',
  },
  '&.cm-merge-a .cm-changedText': {
    background: 'none !important',
    boxShadow: 'inset 0 -2px var(--critical-mark)',
  },
  '.cm-collapsedLines': { background: 'var(--sunken)', color: 'var(--ink-soft)' },
  // The marks that it comes with are in few fonts.
  '.cm-collapsedLines:before, .cm-collapsedLines:after': { content: '"⋮"' },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
  { tag: [tags.string, tags.content], color: 'var(--ink)' },
  { tag: tags.comment, color: 'var(--ink-faint)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.keyword, tags.atom], color: 'var(--high)' },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: 'var(--ink-soft)' },
]);

const common: readonly Extension[] = [
  yaml(),
  lineNumbers(),
  look,
  syntaxHighlighting(colours),
  indentUnit.of('  '),
  EditorState.tabSize.of(2),
  EditorView.lineWrapping,
];

export interface CodeEditor {
  text(): string;
  setText(text: string): void;
  show(diagnostics: readonly Diagnostic[]): void;
  /** Puts the cursor there. Lines and columns count from 1. */
  goTo(line: number, column: number): void;
  focus(): void;
  destroy(): void;
}

export interface CodeEditorOptions {
  /** The editor brings its own styles, which the content security policy lets in there alone. */
  readonly root: ShadowRoot;
  readonly text: string;
  readonly label: string;
  readonly onChange: (text: string) => void;
  /** Completes keys and values of patterns. */
  readonly words?: () => Vocabulary | null;
  readonly keys?: Readonly<Record<string, () => void>>;
}

export function codeEditor(options: CodeEditorOptions): CodeEditor {
  const { root, text, label, onChange, words, keys = {} } = options;
  const own = Object.entries(keys).map(([key, act]) => ({
    ...{ key, preventDefault: true },
    run: () => {
      act();
      return true;
    },
  }));
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        ...common,
        history(),
        drawSelection(),
        highlightActiveLine(),
        bracketMatching(),
        closeBrackets(),
        lintGutter(),
        ...(words === undefined ? [] : [autocompletion({ override: [completed(words)], icons: false })]),
        keymap.of([...own, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of(({ docChanged, state }) => docChanged && onChange(state.doc.toString())),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText: (next) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    show: (diagnostics) =>
      view.dispatch(
        setDiagnostics(
          view.state,
          diagnostics.map((of) => placed(view, of)),
        ),
      ),
    goTo: (line, column) => {
      const { from, to } = view.state.doc.line(Math.min(line, view.state.doc.lines));
      view.dispatch({ selection: { anchor: Math.min(to, from + column - 1) }, scrollIntoView: true });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function placed(view: EditorView, { line, column, length, severity, message, hint, code }: Diagnostic) {
  const { doc } = view.state;
  const of = doc.line(Math.max(1, Math.min(line, doc.lines)));
  const from = Math.min(of.to, of.from + column - 1);
  return {
    ...{ from, to: Math.min(of.to, from + length), severity, source: code },
    message: hint === undefined ? message : `${message}\n${hint}`,
  };
}

function completed(words: () => Vocabulary | null) {
  return ({ state, pos, explicit }: CompletionContext) => {
    const found = suggest(state.doc.toString(), pos, schema as unknown as Schema, words());
    if (found === null || (!explicit && found.from === pos && !/[:.( -]$/.test(state.sliceDoc(pos - 1, pos))))
      return null;
    return {
      from: found.from,
      options: found.options.map(({ label, kind, detail, apply }) => {
        const brief = detail.length > 40;
        return { label, apply, type: kind, ...(brief ? { info: detail } : { detail }) };
      }),
      validFor: /^[\w$]*$/,
    };
  };
}

/** Two texts side by side, with what differs marked. */
export function differences(root: ShadowRoot, before: string, after: string): { destroy(): void } {
  const fixed = [...common, EditorState.readOnly.of(true), EditorView.editable.of(false)];
  const named = (label: string) => [...fixed, EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' })];
  return new MergeView({
    ...{ root, parent: root, gutter: true, highlightChanges: true },
    collapseUnchanged: { margin: 3, minSize: 6 },
    a: { doc: before, extensions: named('Before') },
    b: { doc: after, extensions: named('After') },
  });
}
