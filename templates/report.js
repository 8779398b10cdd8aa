// The report can be read without this script. It adds: the section in view, colours and scales, the value under the
// pointer, enlarged rows, a choice of what is shown, which the address keeps, and downloads of figures and tables.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const SVG = "http://www.w3.org/2000/svg";
  const words = {{ words|tojson }};
  const palettes = {{ palettes|tojson }};
  const main = $("#content");
  // The settings in the address, name → text. Each part of the script reads its own and listens to changes.
  const state = new Map();
  const listeners = [];
{% include "script/url_state.js" %}
{% include "script/contents.js" %}
{% include "script/overlay.js" %}
{% include "script/colour.js" %}
{% include "script/visibility.js" %}
{% include "script/depth.js" %}
{% include "script/value_under_pointer.js" %}
{% include "script/save.js" %}
{% include "script/enlarge.js" %}
{% include "script/atlas.js" %}
  address.read();
})();
