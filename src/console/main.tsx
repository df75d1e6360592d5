import { render } from 'preact';
import { App } from './shell/app.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/feed.css';
import './styles/alert.css';
import './styles/patterns.css';

render(<App />, document.getElementById('app')!);
