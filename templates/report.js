// Everything reads without this. What it adds: where the reader is, other colours and scales, numbers under the
// pointer, pictures beside each other at any size, a choice of what is shown that the address keeps, and files to take away.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const SVG = "http://www.w3.org/2000/svg";
  const words = {{ words|tojson }};
  const palettes = {{ palettes|tojson }};
  const main = $("#content");
  // What the address keeps: name → text. Parts of the page read theirs and are told of changes.
  const state = new Map();
  const listeners = [];
{% include "script/address.js" %}
{% include "script/contents.js" %}
{% include "script/overlay.js" %}
{% include "script/colour.js" %}
{% include "script/choice.js" %}
{% include "script/depth.js" %}
{% include "script/probe.js" %}
{% include "script/save.js" %}
{% include "script/enlarge.js" %}
  address.read();
})();
