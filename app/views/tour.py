"""The first-run tour: shown once a browser, over the page so that nothing moves."""

import gradio as gr

from app.presenters import tour as show
from app.views.labels import Labels

_ON_LOAD = """
const KEY = 'l2d.tour';
const seen = () => { try { return localStorage.getItem(KEY); } catch { return 'unknown'; } };
const remember = () => { try { localStorage.setItem(KEY, 'seen'); } catch { /* asked again */ } };
const steps = () => [...element.querySelectorAll('[data-step]')];
let now = seen() ? -1 : 0;
const draw = () => {
  const all = steps(), box = element.querySelector('.tour');
  if (!box) return;
  document.querySelectorAll('.tour-target').forEach(x => x.classList.remove('tour-target'));
  box.hidden = now < 0 || now >= all.length;
  all.forEach((step, i) => { step.hidden = i !== now; });
  if (box.hidden) return;
  const target = document.querySelector(all[now].dataset.target);
  if (!target) return;
  target.classList.add('tour-target');
  if (now) target.scrollIntoView({block: 'center'});
};
element.addEventListener('click', event => {
  const pressed = event.target.closest('[data-tour]');
  if (!pressed) return;
  now = pressed.dataset.tour === 'next' ? now + 1 : -1;
  if (now < 0 || now >= steps().length) { now = -1; remember(); }
  draw();
});
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && now >= 0) { now = -1; remember(); draw(); }
});
watch('value', draw);
draw();
"""


def tour(labels: Labels) -> gr.HTML:
    return labels.html(show.tour, js_on_load=_ON_LOAD, elem_id="tour", padding=False)
