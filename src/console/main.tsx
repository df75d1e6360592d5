import { render } from 'preact';
import { comeBack } from './session/returning.js';
import { App } from './shell/app.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/feed.css';
import './styles/alert.css';
import './styles/patterns.css';

void comeBack().then(() => render(<App />, document.getElementById('app')!));
