'use strict';
// Asks the page's own address again and again and draws which version answered. Each request is drawn anew by the gateway,
// also on a kept-alive connection, so the last 200 answers are a fair sample of the split: good for the eye, not for a
// verdict (200 answers tell 30 % from 37 % at best).
(function () {
  const sample = 200, pause = 250;
  const answers = [], names = [];
  const bar = document.getElementById('bar'), squares = document.getElementById('answers');
  const legend = document.getElementById('legend');

  function colour(name) {
    if (name === 'failed') { return 'failed'; }
    if (!names.includes(name)) { names.push(name); names.sort(); }
    return 'c' + names.indexOf(name) % 4;
  }

  function draw() {
    const counts = new Map();
    for (const name of answers) { colour(name); counts.set(name, (counts.get(name) || 0) + 1); }
    const sorted = [...counts.keys()].sort();
    bar.replaceChildren(...sorted.map(function (name) {
      const part = document.createElement('span');
      part.className = colour(name);
      part.style.flexGrow = counts.get(name);
      return part;
    }));
    squares.replaceChildren(...answers.map(function (name) {
      const square = document.createElement('span');
      square.className = colour(name);
      return square;
    }));
    legend.textContent = sorted.map(function (name) {
      return name + ' ' + (100 * counts.get(name) / answers.length).toFixed(1) + ' %';
    }).join(' · ') + ' of the last ' + answers.length + ' answers';
  }

  async function ask() {
    if (!document.hidden) {
      let name = 'failed';
      try {
        const reply = await fetch(location.href, { method: 'HEAD', cache: 'no-store' });
        if (reply.ok) {
          const version = reply.headers.get('x-app-version'), place = reply.headers.get('x-app-destination');
          name = (version || 'without a version') + (place ? ' in ' + place : '');
        }
      } catch (_) { /* a request that broke counts as failed */ }
      answers.push(name);
      if (answers.length > sample) { answers.shift(); }
      draw();
    }
    setTimeout(ask, pause);
  }
  ask();
})();
