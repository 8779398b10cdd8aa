  // Colour maps, and one scale for a row. A filter maps grey levels to colours; the scale of a row adds a filter that
  // rescales the levels before it, so that the stored levels don't change.
  {
    const tables = (filter) => {
      const colours = $$("feComponentTransfer", filter).find((part) => part.getAttribute("result") === "colour");
      return ["R", "G", "B"].map((letter) => $(`feFunc${letter}`, colours));
    };
    const paint = (filter, palette) => {
      tables(filter).forEach((table, at) => table.setAttribute("tableValues", palette.tables[at]));
    };
    const kinds = ["bare", "tile", "over"];
    for (const [kind, select] of [["plain", $("#view-plain")], ["signed", $("#view-signed")]]) {
      for (const palette of palettes.filter((palette) => palette.signed === (kind === "signed"))) {
        select.append(new Option(palette.title, palette.name));
      }
      const first = select.dataset.first;
      select.value = first;
      select.addEventListener("change", () => address.set(kind, select.value === first ? "" : select.value));
      listeners.push(() => {
        const palette = palettes.find((palette) => palette.name === (state.get(kind) ?? first));
        if (!palette) return;
        select.value = palette.name;
        for (const use of kinds) {
          for (const filter of $$(`filter[data-of="${use}-${kind}"], #${use}-${kind}`)) paint(filter, palette);
        }
      });
    }

    const ends = (image) => [Number(image.dataset.low), Number(image.dataset.high)];
    const kind = (use) => /#(\w+-\w+)/.exec(use.dataset.filter ?? use.getAttribute("filter"))?.[1];
    const defs = $("#ramp").closest("defs");
    const rescaled = (base, [low, high], [lowest, highest]) => {
      const slope = (high - low) / (highest - lowest);
      const intercept = (low - lowest) / (highest - lowest);
      const id = `${base}-${slope.toPrecision(6)}-${intercept.toPrecision(6)}`.replace(/[^\w-]/g, "_");
      if (document.getElementById(id)) return id;
      const filter = document.getElementById(base).cloneNode(true);
      filter.id = id;
      filter.dataset.of = base;
      const first = document.createElementNS(SVG, "feComponentTransfer");
      first.setAttribute("result", "rescaled");
      for (const letter of ["R", "G", "B"]) {
        const line = document.createElementNS(SVG, `feFunc${letter}`);
        Object.entries({ type: "linear", slope, intercept }).forEach(([name, value]) => line.setAttribute(name, value));
        first.append(line);
      }
      if (!base.startsWith("tile")) {
        $$("[in=SourceGraphic]", filter).forEach((part) => part.setAttribute("in", "rescaled"));
      }
      filter.prepend(first);
      defs.append(filter);
      return id;
    };
    const select = $("#view-scale");
    select.addEventListener("change", () => address.set("scale", select.value === "own" ? "" : select.value));
    let before = false;
    const rescale = () => {
      const together = state.get("scale") === "row";
      if (!together && !before) return;
      before = together;
      select.value = together ? "row" : "own";
      for (const row of $$(".row")) {
        const images = $$("svg.pic[data-low]", row).filter((image) => !image.closest(".cell").hidden);
        for (const of of new Set(images.map((image) => image.dataset.of))) {
          const alike = images.filter((image) => image.dataset.of === of);
          const low = Math.min(...alike.map((image) => ends(image)[0]));
          const high = Math.max(...alike.map((image) => ends(image)[1]));
          const widest = alike.find((image) => ends(image)[1] === high);
          const [left, right] = $$(".scale > span", widest.closest(".cell")).map((end) => end.dataset.own ?? end.textContent);
          for (const image of alike) {
            const use = $$("use", image).at(-1);
            use.dataset.filter ??= use.getAttribute("filter");
            const id = together && high > low ? rescaled(kind(use), ends(image), [low, high]) : kind(use);
            use.setAttribute("filter", `url(#${id})`);
            const cell = image.closest(".cell");
            const labels = [...$$(".scale > span", cell), $(".scale-words", cell)];
            labels.forEach((part, at) => {
              if (!part) return;
              part.dataset.own ??= part.textContent;
              part.textContent = together ? [left, right, words.row][at] : part.dataset.own;
            });
          }
        }
      }
    };
    listeners.push(rescale);
  }
