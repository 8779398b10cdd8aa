  // The atlas: each network's map on a canvas that can be zoomed, coloured by class, by right and wrong, and by where two networks
  // differ; a click shows the neighbours of an image in every network.
  for (const section of $$("#atlas")) {
    const data = JSON.parse($("script[type='application/json']", section).textContent);
    const text = data.texts;
    const bytes = (base64) => {
      const characters = atob(base64);
      const out = new Uint8Array(characters.length);
      for (let at = 0; at < characters.length; at += 1) out[at] = characters.charCodeAt(at);
      return out;
    };
    const shorts = (base64) => new Uint16Array(bytes(base64).buffer);
    const longs = (base64) => new Uint32Array(bytes(base64).buffer);
    const NONE = 65535;
    const labels = shorts(data.labels);
    const count = labels.length;
    const answers = data.answers.map((own) => ({ net: own.net, predicted: shorts(own.predicted), right: bytes(own.right) }));
    const ids = data.ids?.split("\n");
    const tiles = longs(data.tiles);
    const tileOf = new Int32Array(count).fill(-1);
    tiles.forEach((image, tile) => { tileOf[image] = tile; });
    const maps = data.maps.map((map) => ({ ...map, drawings: [shorts(map.points), shorts(map.cells)], points: null, near: count < NONE ? shorts(map.near) : longs(map.near), levels: new Map(), x: 0.5, y: 0.5, scale: 1 }));
    const show = (drawing) => maps.forEach((map) => { map.points = map.drawings[drawing]; map.levels.clear(); });
    show(0);
    const node = (name, properties = {}, ...children) => {
      const made = Object.assign(document.createElement(name), properties);
      made.append(...children.filter((child) => child !== null));
      return made;
    };
    // The thumbnails are the picture that the page's style holds.
    const sprite = new Image();
    const style = $("style", section)?.textContent ?? "";
    const [from, to] = [style.indexOf('url("'), style.indexOf('")')];
    if (from >= 0) sprite.src = style.slice(from + 5, to);
    const TILE = () => sprite.naturalWidth / data.columns;
    const slotOf = (net) => maps.find((map) => map.net === net)?.slot ?? 0;

    // The colourings: a group of each image, and of each group its name and colour.
    const grouped = data.kinds.some((kind) => kind !== null);
    const staticLegend = $$(".atlas-key .legend li", section).map((entry) => entry.cloneNode(true));
    const colourings = [];
    if (data.names.length > 0 && labels.some((label) => label !== NONE)) {
      const key = $(".atlas-key", section).cloneNode(true);
      colourings.push({ name: grouped ? text["by.group"] : text["by.class"], of: (image) => labels[image], colour: (label) => (label === NONE ? "--quiet" : data.kinds[label] !== null ? `k${data.kinds[label]}` : `hsl(${data.hues[label] ?? 0} 60% 50%)`), key });
    }
    const entry = (colour, name, total) => node("li", {}, Object.assign(node("i", { ariaHidden: "true" }), { style: `--kind:var(${colour})` }), `${name} `, node("span", { className: "quiet", textContent: total.toLocaleString(document.documentElement.lang) }));
    const named = (name, of, groups) => {
      const totals = new Array(groups.length).fill(0);
      for (let image = 0; image < count; image += 1) totals[of(image)] += 1;
      const list = node("ul", { className: "legend" }, ...groups.map(([title, colour], group) => (totals[group] > 0 ? entry(colour, title, totals[group]) : null)));
      colourings.push({ name, of, colour: (group) => groups[group][1], key: node("div", { className: "atlas-key" }, list) });
    };
    for (const own of answers) {
      named(text["by.right"].replace("{network}", own.net), (image) => own.right[image], [[text.wrong, "--wrong"], [text.right, "--right"], [text.unknown, "--rule"]]);
    }
    answers.forEach((one, at) => answers.slice(at + 1).forEach((other) => {
      const of = (image) => (one.right[image] > 1 || other.right[image] > 1 ? 4 : one.right[image] === 1 ? (other.right[image] === 1 ? 0 : 1) : other.right[image] === 1 ? 2 : 3);
      const only = (net) => text.only.replace("{network}", net);
      named(text["by.pair"].replace("{one}", one.net).replace("{other}", other.net), of, [[text.both_right, "--quiet"], [only(one.net), `--n${slotOf(one.net)}`], [only(other.net), `--n${slotOf(other.net)}`], [text.both_wrong, "--ink"], [text.unknown, "--rule"]]);
    }));
    if (colourings.length === 0) colourings.push({ name: "", of: () => 0, colour: () => "--quiet", key: $(".atlas-key", section).cloneNode(true) });
    let colouring = colourings[0];
    let chosen = -1;

    // A colour of the style sheet as red, green and blue.
    const pen = node("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    const swatch = node("i", { hidden: true });
    section.append(swatch);
    let known = new Map();
    const css = (colour) => {
      if (!known.has(colour)) {
        swatch.className = /^k\d$/.test(colour) ? colour : "";
        const name = swatch.className ? "--kind" : colour;
        const value = name.startsWith("--") ? getComputedStyle(swatch).getPropertyValue(name).trim() : colour;
        pen.fillStyle = value;
        pen.fillRect(0, 0, 1, 1);
        const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
        known.set(colour, { value, packed: (255 << 24) | (blue << 16) | (green << 8) | red });
      }
      return known.get(colour);
    };
    const colourOf = (image) => css(colouring.colour(colouring.of(image)));

    // For cells of the map that are about as large as a thumbnail on the screen, the image nearest to the mean of the cell's images.
    const level = (map, depth) => {
      if (!map.levels.has(depth)) {
        const cells = new Map();
        const side = 8 * 2 ** depth;
        for (const image of tiles) {
          const key = Math.floor((map.points[2 * image] / 65536) * side) + side * Math.floor((map.points[2 * image + 1] / 65536) * side);
          if (!cells.has(key)) cells.set(key, []);
          cells.get(key).push(image);
        }
        const shown = [];
        for (const images of cells.values()) {
          const mean = (axis) => images.reduce((sum, image) => sum + map.points[2 * image + axis], 0) / images.length;
          const [x, y] = [mean(0), mean(1)];
          const far = (image) => (map.points[2 * image] - x) ** 2 + (map.points[2 * image + 1] - y) ** 2;
          shown.push(images.reduce((best, image) => (far(image) < far(best) ? image : best)));
        }
        map.levels.set(depth, shown);
      }
      return map.levels.get(depth);
    };
    const onScreen = (map, image) => {
      const side = map.canvas.width;
      return [0, 1].map((axis) => ((map.points[2 * image + axis] / 65535 - (axis ? map.y : map.x)) * map.scale + 0.5) * side);
    };
    const drawTile = (context, image, x, y, side) => {
      const tile = tileOf[image];
      if (tile < 0 || !sprite.complete || !sprite.naturalWidth) return false;
      const size = TILE();
      context.drawImage(sprite, (tile % data.columns) * size, Math.floor(tile / data.columns) * size, size, size, x - side / 2, y - side / 2, side, side);
      return true;
    };
    const draw = (map) => {
      const { canvas, context } = map;
      const ratio = Math.min(devicePixelRatio || 1, 2);
      const side = Math.max(1, Math.round(canvas.clientWidth * ratio));
      if (canvas.width !== side) { canvas.width = side; canvas.height = side; }
      const picture = context.createImageData(side, side);
      const pixels = new Uint32Array(picture.data.buffer);
      const size = Math.max(1, Math.round(ratio * Math.min(4, (150 / Math.sqrt(count)) * map.scale ** 0.5)));
      const groups = new Map();
      for (let image = 0; image < count; image += 1) {
        const [x, y] = [Math.round(((map.points[2 * image] / 65535 - map.x) * map.scale + 0.5) * side), Math.round(((map.points[2 * image + 1] / 65535 - map.y) * map.scale + 0.5) * side)];
        if (x < 0 || y < 0 || x >= side - size || y >= side - size) continue;
        const group = colouring.of(image);
        let packed = groups.get(group);
        if (packed === undefined) { packed = css(colouring.colour(group)).packed; groups.set(group, packed); }
        for (let down = 0; down < size; down += 1) pixels.fill(packed, (y + down) * side + x, (y + down) * side + x + size);
      }
      context.putImageData(picture, 0, 0);
      const depth = Math.max(0, Math.round(Math.log2((map.scale * canvas.clientWidth) / 560)));
      const thumb = 40 * ratio;
      for (const image of level(map, Math.min(depth, 12))) {
        const [x, y] = onScreen(map, image);
        if (x < -thumb || y < -thumb || x > side + thumb || y > side + thumb) continue;
        if (!drawTile(context, image, x, y, thumb)) continue;
        context.lineWidth = 2 * ratio;
        context.strokeStyle = colourOf(image).value;
        context.strokeRect(x - thumb / 2, y - thumb / 2, thumb, thumb);
      }
      if (chosen < 0) return;
      const ring = (image, radius, colour) => {
        const [x, y] = onScreen(map, image);
        for (const [width, stroke] of [[5, "--paper"], [2.5, colour]]) {
          context.lineWidth = width * ratio;
          context.strokeStyle = css(stroke).value;
          context.beginPath();
          context.arc(x, y, radius * ratio, 0, 2 * Math.PI);
          context.stroke();
        }
      };
      nearest(map, chosen).forEach((image) => ring(image, 9, `--n${map.slot}`));
      ring(chosen, 15, "--ink");
    };
    let waiting = false;
    const drawAll = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; maps.forEach(draw); });
    };
    const nearest = (map, image) => [...map.near.subarray(image * data.near, (image + 1) * data.near)].filter((other) => other < count);

    // The neighbours of the chosen image.
    const panel = $(".atlas-near", section);
    const picture = (image) => {
      const tile = tileOf[image];
      const box = node("i", { className: tile < 0 ? "thumb-none" : "thumb a0" });
      if (tile < 0) box.title = text.no_thumbnail;
      else box.style = `--x:${tile % data.columns};--y:${Math.floor(tile / data.columns)}`;
      return box;
    };
    const nameOf = (label) => (label === NONE ? text.no_label : data.names[label]);
    const card = (image, net) => {
      const button = node("button", { type: "button", className: "atlas-image" }, picture(image), node("span", { textContent: nameOf(labels[image]) }));
      const own = answers.find((one) => one.net === net);
      if (own && own.right[image] === 0) button.append(node("span", { className: "wrong", textContent: `✗ ${nameOf(own.predicted[image])}` }));
      if (own && own.right[image] === 1) button.append(node("span", { className: "right", textContent: "✓" }));
      button.addEventListener("click", () => choose(image));
      return button;
    };
    const choose = (image) => {
      chosen = image;
      panel.hidden = image < 0;
      panel.replaceChildren();
      if (image >= 0) {
        const close = node("button", { type: "button", textContent: text.close });
        close.addEventListener("click", () => choose(-1));
        const facts = [`${text.label}: ${nameOf(labels[image])}`, ...answers.filter((own) => own.right[image] < 2).map((own) => `${own.net} ${text.predicts} ${nameOf(own.predicted[image])} ${own.right[image] === 1 ? "✓" : "✗"}`)];
        const head = node("div", { className: "atlas-chosen" }, picture(image), node("div", {}, node("h3", { textContent: ids ? ids[image] : `${text.image} ${image + 1}` }), ...facts.map((fact) => node("p", { textContent: fact }))), close);
        const columns = maps.map((map) => {
          const near = nearest(map, image);
          return node("div", { className: `n${map.slot}` }, node("h4", {}, node("span", { className: "net" }, node("i", { ariaHidden: "true", textContent: map.sign }), map.net)), near.length > 0 ? node("div", { className: "atlas-images" }, ...near.map((other) => card(other, map.net))) : node("p", { className: "quiet", textContent: text["near.none"] }));
        });
        panel.append(head, node("p", { className: "quiet", textContent: text.near }), node("div", { className: "atlas-columns" }, ...columns));
      }
      drawAll();
    };

    // The canvases.
    $$(".atlas-map", section).forEach((box, at) => {
      const map = maps[at];
      const canvas = node("canvas", { tabIndex: 0 });
      canvas.setAttribute("role", "application");
      canvas.setAttribute("aria-label", `${$(".atlas-still", box).getAttribute("aria-label")}. ${text.keys}`);
      Object.assign(map, { canvas, context: canvas.getContext("2d") });
      $(".atlas-still", box).remove();
      const zoom = (factor, x = 0.5, y = 0.5) => {
        const scale = Math.min(400, Math.max(1, map.scale * factor));
        // What is at x, y stays there.
        map.x += (x - 0.5) * (1 / map.scale - 1 / scale);
        map.y += (y - 0.5) * (1 / map.scale - 1 / scale);
        map.scale = scale;
        move(0, 0);
      };
      const move = (across, down) => {
        map.x = Math.min(1, Math.max(0, map.x - across / map.scale));
        map.y = Math.min(1, Math.max(0, map.y - down / map.scale));
        if (map.scale === 1) { map.x = 0.5; map.y = 0.5; }
        drawAll();
      };
      const button = (name, label, act) => {
        const made = node("button", { type: "button", textContent: name, ariaLabel: `${label}: ${map.net}`, title: label });
        made.addEventListener("click", act);
        return made;
      };
      const tools = node("div", { className: "atlas-zoom" }, button("+", text.zoom_in, () => zoom(1.6)), button("−", text.zoom_out, () => zoom(1 / 1.6)), button("⤢", text.whole, () => zoom(0)));
      const part = (event) => {
        const frame = canvas.getBoundingClientRect();
        return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
      };
      const at2 = ([x, y], within) => {
        let [best, least] = [-1, within ** 2];
        for (let image = 0; image < count; image += 1) {
          const far = ((map.points[2 * image] / 65535 - map.x) * map.scale + 0.5 - x) ** 2 + ((map.points[2 * image + 1] / 65535 - map.y) * map.scale + 0.5 - y) ** 2;
          // An image with a thumbnail is easier to hit.
          const weighed = tileOf[image] < 0 ? far * 4 : far;
          if (weighed < least) [best, least] = [image, weighed];
        }
        return best;
      };
      canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.002)), ...part(event));
      }, { passive: false });
      const held = new Map();
      let moved = 0;
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        if (held.size === 0) moved = 0;
        held.set(event.pointerId, part(event));
      });
      canvas.addEventListener("pointermove", (event) => {
        const before = held.get(event.pointerId);
        if (!before) return;
        const now = part(event);
        const [other] = [...held].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
        moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
        const share = other ? 0.5 : 1;
        move((now[0] - before[0]) * share, (now[1] - before[1]) * share);
        if (other) zoom(Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(1e-3, Math.hypot(before[0] - other[0], before[1] - other[1])), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
        held.set(event.pointerId, now);
      });
      const letGo = (event) => {
        if (held.delete(event.pointerId) && held.size === 0 && event.type === "pointerup" && moved < 0.01) choose(at2(part(event), 24 / canvas.clientWidth));
      };
      canvas.addEventListener("pointerup", letGo);
      canvas.addEventListener("pointercancel", letGo);
      canvas.addEventListener("keydown", (event) => {
        const act = { ArrowLeft: () => move(0.1, 0), ArrowRight: () => move(-0.1, 0), ArrowUp: () => move(0, 0.1), ArrowDown: () => move(0, -0.1), "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), 0: () => zoom(0), Enter: () => choose(at2([0.5, 0.5], 2)), Escape: () => choose(-1) }[event.key];
        if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        act();
      });
      box.append(canvas, tools);
      new ResizeObserver(drawAll).observe(canvas);
    });

    // The choice of colours.
    if (colourings.length > 1) {
      const select = node("select", {}, ...colourings.map((one, at) => node("option", { value: at, textContent: one.name })));
      select.addEventListener("change", () => address.set("atlas", select.value === "0" ? "" : select.value));
      $(".atlas-tools", section).append(node("label", {}, `${text.colour} `, select));
      listeners.push(() => {
        const at = Math.min(colourings.length - 1, Math.max(0, Number(state.get("atlas") ?? 0) || 0));
        select.value = at;
        colouring = colourings[at];
        $(".atlas-key", section).replaceWith(colouring.key);
        drawAll();
      });
    }
    {
      const tick = node("input", { type: "checkbox" });
      tick.addEventListener("change", () => address.set("grid", tick.checked ? "1" : ""));
      $(".atlas-tools", section).append(node("label", {}, tick, ` ${text.grid}`));
      listeners.push(() => {
        tick.checked = state.get("grid") === "1";
        show(tick.checked ? 1 : 0);
        drawAll();
      });
    }
    $(".atlas-tools", section).append(node("p", { className: "quiet", textContent: text.choose }));
    sprite.onload = drawAll;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { known = new Map(); drawAll(); });
    addEventListener("beforeprint", () => { known = new Map(); maps.forEach(draw); });
    drawAll();
  }
