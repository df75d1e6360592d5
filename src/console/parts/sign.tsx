import { author, useMe } from '../lib/author.js';

interface SignProps {
  readonly message: string;
  readonly onMessage: (message: string) => void;
  readonly why: string;
}

/** Who changes something, and why: both are kept in the history. */
export function Sign({ message, onMessage, why }: SignProps) {
  const { data: me } = useMe();
  return (
    <>
      {me?.by === 'none' && (
        <label class="field">
          Your name
          <input
            class="input"
            required
            autocomplete="name"
            defaultValue={author.value}
            onInput={({ currentTarget }) => author.set(currentTarget.value.trim())}
          />
        </label>
      )}
      {me !== null && me.by !== 'none' && (
        <p class="soft">
          As <strong>{me.name}</strong> ({me.role})
        </p>
      )}
      <label class="field">
        {why}
        <input class="input" value={message} onInput={({ currentTarget }) => onMessage(currentTarget.value)} />
      </label>
    </>
  );
}

/** What is sent along. */
export const signed = (message: string): { readonly author?: string; readonly message: string } => ({
  ...(author.value === '' ? {} : { author: author.value }),
  message,
});
