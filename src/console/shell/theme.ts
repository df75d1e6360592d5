import { Remembered } from '../lib/store.js';

/** `system`, `light` or `dark`. */
export const theme = new Remembered('theme', 'system');

function show(): void {
  const { value } = theme;
  if (value === 'light' || value === 'dark') document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
}

theme.subscribe(show);
show();

export const isDark = (): boolean =>
  theme.value === 'dark' || (theme.value === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);

export function toggleTheme(): void {
  theme.set(isDark() ? 'light' : 'dark');
}
