  // A slider for each method: it selects the depth of the rows that are shown, for all networks and photos.
  {
    const steps = (key) => {
      const depths = $$(`.method[data-method="${key}"] .row[data-depth]`).map((row) => row.dataset.depth);
      return [...new Set(depths)];
    };
    for (const key of new Set($$(".method").map((method) => method.dataset.method))) {
      const depths = steps(key);
      if (depths.length < 2) continue;
      const sliders = $$(`.method[data-method="${key}"]`).map((method) => {
        const box = document.createElement("div");
        box.className = "walk";
        const output = document.createElement("output");
        const input = slider(`${words.depth}: ${$("h3", method).textContent}`, 0, (value) => address.set(`depth-${key}`, value === "0" ? "" : value));
        input.max = depths.length;
        const label = document.createElement("span");
        label.textContent = words.depth;
        box.append(label, input, output);
        $("h3", method).after(box);
        return [input, output];
      });
      listeners.push(() => {
        const at = Math.min(Number(state.get(`depth-${key}`) ?? 0) || 0, depths.length);
        for (const [input, output] of sliders) {
          input.value = at;
          output.textContent = at === 0 ? words.all : depths[at - 1];
          input.setAttribute("aria-valuetext", output.textContent);
        }
        for (const row of $$(`.method[data-method="${key}"] .row[data-depth]`)) {
          row.classList.toggle("other-depth", at !== 0 && row.dataset.depth !== depths[at - 1]);
        }
      });
    }
  }
