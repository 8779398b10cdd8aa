  // Layer by layer: one slider walks the rows of a method, all networks and photos together, from the picture to the answer.
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
        const told = document.createElement("output");
        const input = slider(`${words.depth}: ${$("h3", method).textContent}`, 0, (value) => address.set(`depth-${key}`, value === "0" ? "" : value));
        input.max = depths.length;
        const label = document.createElement("span");
        label.textContent = words.depth;
        box.append(label, input, told);
        $("h3", method).after(box);
        return [input, told];
      });
      listeners.push(() => {
        const at = Math.min(Number(state.get(`depth-${key}`) ?? 0) || 0, depths.length);
        for (const [input, told] of sliders) {
          input.value = at;
          told.textContent = at === 0 ? words.all : depths[at - 1];
          input.setAttribute("aria-valuetext", told.textContent);
        }
        for (const row of $$(`.method[data-method="${key}"] .row[data-depth]`)) {
          row.classList.toggle("other-depth", at !== 0 && row.dataset.depth !== depths[at - 1]);
        }
      });
    }
  }
