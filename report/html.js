(function () {
  'use strict';
  var all = function (q, e) { return Array.prototype.slice.call((e || document).querySelectorAll(q)); };
  var form = document.getElementById('filter');
  var folds = all('details');

  // Printed paper cannot be unfolded.
  var folded = [];
  addEventListener('beforeprint', function () {
    folded = folds.filter(function (d) { return !d.open; });
    folded.forEach(function (d) { d.open = true; });
  });
  addEventListener('afterprint', function () {
    folded.forEach(function (d) { d.open = false; });
  });
  if (!form) return;

  var entries = all('.finding').map(function (e) {
    var members = all('.members > li', e);
    return {
      e: e, severity: e.dataset.s, head: text(e.querySelector('summary')) + text(e.querySelector('.about')),
      parts: (members.length ? members : [e]).map(function (m) {
        return { e: m, system: m.dataset.y, fresh: 'n' in m.dataset, text: text(m) };
      })
    };
  });
  function text(e) { return e.textContent.toLowerCase() + '\n'; }

  var total = entries.reduce(function (n, x) { return n + x.parts.length; }, 0);
  var sections = all('.severity');
  function filter() {
    var words = form.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    var severities = all('[name=s]:checked', form).map(function (c) { return c.value; });
    var system = form.y.value, fresh = form.n.checked, shown = 0;
    entries.forEach(function (x) {
      var here = 0, fits = severities.indexOf(x.severity) >= 0;
      x.parts.forEach(function (p) {
        var yes = fits && (!system || p.system === system) && (!fresh || p.fresh) &&
          words.every(function (w) { return p.text.indexOf(w) >= 0 || x.head.indexOf(w) >= 0; });
        p.e.hidden = !yes;
        if (yes) here++;
      });
      x.e.hidden = !here;
      shown += here;
    });
    sections.forEach(function (s) { s.hidden = !s.querySelector('.finding:not([hidden])'); });
    form.querySelector('output').textContent = shown === total ? '' : shown + ' of ' + total + ' shown';
  }
  form.addEventListener('input', filter);
  form.addEventListener('submit', function (e) { e.preventDefault(); });
  form.elements.open.addEventListener('click', function () { fold(true); });
  form.elements.close.addEventListener('click', function () { fold(false); });
  function fold(open) {
    all('.finding:not([hidden]) > details').forEach(function (d) { d.open = open; });
  }
  form.hidden = false;
  filter(); // what a browser kept of a form it shows again
})();
