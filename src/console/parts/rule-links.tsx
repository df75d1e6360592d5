import { to } from '../lib/router.js';

/** Rules by id, each with the way to its page. */
export function RuleLinks({ ids }: { readonly ids: readonly string[] }) {
  return (
    <>
      {ids.map((id) => (
        <a key={id} class="linked mono" href={to(['patterns', id])}>
          {id}{' '}
        </a>
      ))}
    </>
  );
}
