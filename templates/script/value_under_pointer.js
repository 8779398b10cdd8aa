  // Shows the value of a map under the pointer, from its grey levels: 255 steps from the lowest value to the largest.
  const levels = new Map();
  const stored = (id) => {
    if (!levels.has(id)) {
      const image = new Image();
      const entry = { width: 0, height: 0, bytes: null };
      levels.set(id, entry);
      image.onload = () => {
        const canvas = Object.assign(document.createElement("canvas"), { width: image.naturalWidth, height: image.naturalHeight });
        const context = canvas.getContext("2d", { willReadFrequently: true });
        context.drawImage(image, 0, 0);
        Object.assign(entry, { width: canvas.width, height: canvas.height, bytes: context.getImageData(0, 0, canvas.width, canvas.height).data });
      };
      image.src = document.getElementById(id)?.getAttribute("href") ?? "";
    }
    return levels.get(id);
  };
  {
    const probe = document.createElement("div");
    probe.className = "probe";
    probe.hidden = true;
    document.body.append(probe);
    const format = new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: 3 });
    const number = (value) => (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) ? value.toExponential(2) : format.format(value));
    const valueText = (image, event) => {
      const use = $$("use", image).at(-1);
      const { width, height, bytes } = stored(use.getAttribute("href").slice(1));
      if (!bytes) return null;
      const view = image.viewBox.baseVal;
      const box = image.getBoundingClientRect();
      const part = (at, from, length, start, whole, count) => Math.floor(((start + ((at - from) / length) * whole) / 100) * count);
      const column = part(event.clientX, box.left, box.width, view.x, view.width, width);
      const row = part(event.clientY, box.top, box.height, view.y, view.height, height);
      if (column < 0 || row < 0 || column >= width || row >= height) return null;
      const level = bytes[4 * (row * width + column)];
      let [x, y, name] = [column, row, ""];
      if (image.dataset.tile) {
        // A tile and the gap after it.
        const [tall, wide] = image.dataset.tile.split(" ").map(Number);
        const columns = Number(image.dataset.columns);
        const at = Math.floor(row / (tall + 1)) * columns + Math.floor(column / (wide + 1));
        const channel = image.dataset.channels.split(", ")[at];
        [x, y] = [column % (wide + 1), row % (tall + 1)];
        if (channel === undefined || x >= wide || y >= tall) return null;
        name = `${words.channel} ${channel}, `;
      }
      if (level === 0) return `${name}x ${x}, y ${y}: –`;
      const [low, high] = [Number(image.dataset.low), Number(image.dataset.high)];
      const value = low + ((level - 1) / 254) * (high - low);
      const sign = image.dataset.clipped && level === 255 ? "≥ " : image.dataset.clipped && low < 0 && level === 1 ? "≤ " : "";
      return `${name}x ${x}, y ${y}: ${sign}${number(value)}`;
    };
    addEventListener("pointermove", (event) => {
      const image = event.target.closest?.("svg.pic[data-low]");
      const text = image && valueText(image, event);
      probe.hidden = !text;
      if (!text) return;
      // Above all else, a dialog included.
      (image.closest("dialog") ?? document.body).append(probe);
      probe.textContent = text;
      probe.style.left = `${Math.min(event.clientX + 14, innerWidth - probe.offsetWidth - 4)}px`;
      probe.style.top = `${Math.max(event.clientY - 34, 4)}px`;
    });
    addEventListener("pointerover", (event) => {
      const image = event.target.closest?.("svg.pic[data-low]");
      if (image) stored($$("use", image).at(-1).getAttribute("href").slice(1));
    });
  }
