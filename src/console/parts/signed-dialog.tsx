import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Trouble } from './basics.js';
import { Dialog } from './dialog.js';
import { Sign, signed } from './sign.js';

/** Does what was asked; what it throws is shown, and can be tried again. Who opened the dialog closes it. */
export type SignedAct = (by: ReturnType<typeof signed>, form: FormData) => Promise<void>;

interface SignedDialogProps {
  readonly title: string;
  /** Label of the field for the reason. */
  readonly why: string;
  /** On the button that does it, and on it while that is under way. */
  readonly action: string;
  readonly acting?: string;
  /** False: what is asked has to be known first. */
  readonly ready?: boolean;
  /** Class of the dialog. */
  readonly name?: string;
  /** Above who and why: what else is asked, or told. */
  readonly children?: ComponentChildren;
  readonly onClose: () => void;
  readonly act: SignedAct;
}

/** A change that is kept with who made it, and why. */
export function SignedDialog(props: SignedDialogProps) {
  const { title, why, action, acting = action, ready = true, name, children, onClose, act } = props;
  const [message, setMessage] = useState('');
  const [state, setState] = useState<'idle' | 'busy' | Error>('idle');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setState('busy');
    try {
      await act(signed(message), form);
    } catch (error) {
      setState(error as Error);
    }
  };
  return (
    <Dialog label={title} onClose={onClose} {...(name && { name })}>
      <form class="dialog-body" onSubmit={submit}>
        <h2>{title}</h2>
        {children}
        <Sign message={message} onMessage={setMessage} why={why} />
        {state instanceof Error && <Trouble error={state} />}
        <div class="foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button main-action" disabled={state === 'busy' || !ready}>
            {state === 'busy' ? acting : action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
