const PATHS = {
  alerts: 'M8 1.8 14.6 13.5H1.4Z M8 6v3.5 M8 11.6v.1',
  patterns:
    'M3.2 8a1.7 1.7 0 1 0 .001 0Z M12.8 3.2a1.7 1.7 0 1 0 .001 0Z M12.8 9.4a1.7 1.7 0 1 0 .001 0Z M4.9 9.1 11.1 5.5 M4.9 10.2l6.2.8',
  revisions: 'M8 2.5a5.5 5.5 0 1 1-5.2 3.7 M2.5 2.5v3.8h3.8 M8 5.2V8l2 1.4',
  backtests: 'M1.8 13.8h12.4 M3.5 13.5V8.5 M6.5 13.5V4.5 M9.5 13.5V7 M12.5 13.5V2.5',
  explain: 'M6.8 2a4.8 4.8 0 1 1-.01 0Z M10.3 10.3 14 14',
  lists: 'M6 4h8 M6 8h8 M6 12h8 M2.5 4h.1 M2.5 8h.1 M2.5 12h.1',
  system: 'M2 3h12v4H2Z M2 9h12v4H2Z M4.5 5h.1 M4.5 11h.1',
  search: 'M7 2.5a4.5 4.5 0 1 1-.01 0Z M10.4 10.4 13.5 13.5',
  sun: 'M8 5.2a2.8 2.8 0 1 1-.01 0Z M8 1v1.5 M8 13.5V15 M1 8h1.5 M13.5 8H15 M3.1 3.1l1 1 M11.9 11.9l1 1 M12.9 3.1l-1 1 M4.1 11.9l-1 1',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z',
  leave: 'M9.5 2.5h-6v11h6 M7 8h7 M11.2 5.2 14 8l-2.8 2.8',
  pause: 'M5.5 3v10 M10.5 3v10',
  play: 'M5 3l8 5-8 5Z',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: what it stands for is said beside it. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
