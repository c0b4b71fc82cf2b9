/* A page whose server is away, or whose person is no longer signed in, says so in their language and
   keeps what is typed: Gradio says it in English and loads the page again, with empty fields.
   What is kept stays in this tab, and goes back only to the same person on the same page: after such
   an end, and where they come back to the page by the browser's own ways. */
(() => {
  const KEY = 'l2d.kept:' + location.pathname;
  const API = '/gradio_api/';
  const ask = window.fetch.bind(window);
  const typed = new WeakSet();  // by the person: what was kept does not replace it
  let leaving = false, told = '';
  document.addEventListener('input', event => { if (event.isTrusted) typed.add(event.target); }, true);

  const who = () => {
    const as = document.querySelector('#act-as');
    return as ? as.value : (document.querySelector('#header .person span') || {}).textContent;
  };
  const fields = () => [...document.querySelectorAll('main textarea, main select, main input')].filter(
    field => !['password', 'file', 'hidden'].includes(field.type)
      && field.getAttribute('role') !== 'listbox' && !field.closest('#header, .cm-editor, #draft-form'));  // that form follows its text
  const named = () => {
    const counts = {};
    return fields().map(field => {
      const home = field.parentElement.closest('[id]');
      const id = (home ? home.id : '') + ':' + field.type;
      counts[id] = (counts[id] || 0) + 1;
      return [id + ':' + counts[id], field];
    });
  };
  const picked = field => field.type === 'radio' || field.type === 'checkbox';
  const editor = () => {
    const content = document.querySelector('main .cm-content');
    const held = content && (content.cmTile || content.cmView);
    return held && (held.view || (held.root && held.root.view));
  };

  const keep = () => {
    const view = editor();
    const values = Object.fromEntries(
      named().map(([name, field]) => [name, picked(field) ? field.checked : field.value]));
    const text = view ? view.state.doc.toString() : null;
    const kept = {who: who(), lost: Boolean(told), values, text};
    try { sessionStorage.setItem(KEY, JSON.stringify(kept)); } catch { /* no room: it stays on the page */ }
  };
  const type = (field, value) => {
    const kind = {TEXTAREA: HTMLTextAreaElement, SELECT: HTMLSelectElement}[field.tagName] || HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, 'value').set.call(field, value);
    field.dispatchEvent(new Event('input', {bubbles: true}));
  };
  const putBack = () => {
    const kept = JSON.parse(sessionStorage.getItem(KEY) || 'null');
    sessionStorage.removeItem(KEY);
    const [{type: came}] = performance.getEntriesByType('navigation');
    if (!kept || kept.who !== who() || !(kept.lost || came === 'back_forward')) return;
    for (const [name, field] of named()) {
      const value = kept.values[name];
      if (value === undefined || typed.has(field)) continue;
      if (!picked(field)) { if (value !== field.value) type(field, value); }
      else if (value !== field.checked && (value || field.type === 'checkbox')) field.click();
    }
    const view = editor();
    if (view && !typed.has(view.contentDOM) && kept.text !== null && kept.text !== view.state.doc.toString())
      view.dispatch({changes: {from: 0, to: view.state.doc.length, insert: kept.text}});
  };

  const tell = what => {
    if (told || leaving) return;
    told = what;
    document.documentElement.classList.add('l2d-lost');
    const said = document.querySelector(`#connection [data-said=${what}]`);
    if (said) said.hidden = false;
    if (what === 'lost') again();
  };
  let until = 0;
  const failed = async answer => {
    const {error} = await answer.json().catch(() => ({}));
    const said = document.querySelector('#connection [data-said=failed]');
    if (!said || told) return;
    said.querySelector('span').textContent =
      new DOMParser().parseFromString(error || '', 'text/html').body.textContent;
    said.hidden = false;
    clearTimeout(until);
    until = setTimeout(() => { said.hidden = true; }, 10000);
  };
  const there = () => ask(location.href, {method: 'HEAD', cache: 'no-store'}).then(() => true, () => false);
  const again = async () => {
    while (!await there()) await new Promise(done => setTimeout(done, 2000));
    location.reload();
  };
  let gone = false;  // signing out and becoming someone else leave nothing behind
  document.addEventListener('submit', () => {
    gone = true;
    Object.keys(sessionStorage).filter(key => key.startsWith('l2d.kept:')).forEach(key => sessionStorage.removeItem(key));
  });
  window.addEventListener('beforeunload', () => { leaving = true; if (!gone && told !== 'other') keep(); });

  window.fetch = async (input, init) => {
    const address = String(input && input.url || input);
    try {
      const answer = await ask(input, init);
      if (address.includes(API) && answer.status === 401) tell('signed_out');
      if (address.includes(API) && answer.status === 403) tell('other');
      if (address.includes(API + 'run/') && answer.status === 500) failed(answer.clone());
      return answer;
    } catch (err) {
      if (err.name !== 'AbortError' && !leaving && !await there()) tell('lost');
      throw err;
    }
  };
  window.l2dPutBack = putBack;
})();
