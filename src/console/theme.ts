import { setText } from './dom.js';

const KEY = 'gatesvr-console-theme';
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

/** Light or dark: as the system has it, until somebody says otherwise on this button. */
export function themeButton(button: HTMLButtonElement, changed: () => void): void {
  let theme = THEMES.find((name) => name === localStorage.getItem(KEY)) ?? 'system';
  const show = () => {
    apply(theme);
    setText(button, { system: '◐ Auto', light: '◐ Light', dark: '◐ Dark' }[theme]);
    button.setAttribute('aria-label', `Colours: ${theme}. Change`);
    changed();
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
    localStorage.setItem(KEY, theme);
    show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  show();
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
