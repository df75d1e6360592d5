import type { Diagnostic } from '../api/types.js';

interface ProblemsProps {
  readonly diagnostics: readonly Diagnostic[];
  readonly onGo: (diagnostic: Diagnostic) => void;
}

/** Errors and warnings, each with the way to its place. */
export function Problems({ diagnostics, onGo }: ProblemsProps) {
  if (diagnostics.length === 0) return null;
  return (
    <ul class="problems" aria-label="Errors and warnings">
      {diagnostics.map((of) => (
        <li key={`${of.line}:${of.column}:${of.code}:${of.message}`}>
          <button type="button" onClick={() => onGo(of)}>
            <span class={`badge ${of.severity === 'error' ? 'critical' : 'medium'}`}>{of.severity}</span>
            <span class="number faint nowrap">
              {of.line}:{of.column}
            </span>
            <span>
              {of.message} {of.hint && <span class="soft">{of.hint}</span>}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
