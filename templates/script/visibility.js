  // Which networks, photos, methods and classes are shown: `net=0.2` hides the first and the third.
  {
    const groups = [
      ["net", $("#view-nets"), $$("[data-net-name]").map((net) => [net.dataset.netName, [...net.classList].find((name) => /^n\d$/.test(name))])],
      ["photo", $("#view-photos"), $$("section.photo").map((photo) => [photo.dataset.photo, photo])],
      ["method", $("#view-methods"), [...new Set($$(".method").map((method) => method.dataset.method))].map((key) => [$(`.method[data-method="${key}"] h3`).textContent, key])],
      ["class", $("#view-classes"), [...new Set($$(".row[data-class]").map((row) => row.dataset.class))].map((title) => [title, title])],
    ];
    const leftOut = (name) => new Set((state.get(name) ?? "").split(".").filter(Boolean).map(Number));
    for (const [name, box, entries] of groups) {
      if (entries.length < 2) { box.remove(); continue; }
      entries.forEach(([title], at) => {
        const label = document.createElement("label");
        const tick = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
        tick.addEventListener("change", () => {
          const out = leftOut(name);
          if (tick.checked) out.delete(at); else out.add(at);
          address.set(name, [...out].sort((a, b) => a - b).join("."));
        });
        label.append(tick, ` ${title}`);
        box.append(label);
      });
    }
    const show = (element, shown) => { element.hidden = !shown; };
    listeners.push(() => {
      const out = Object.fromEntries(groups.map(([name]) => [name, leftOut(name)]));
      for (const [name, box] of groups) {
        $$("input", box).forEach((tick, at) => { tick.checked = !out[name].has(at); });
      }
      const [nets, photos, methods, classes] = groups.map(([, , entries]) => entries);
      nets.forEach(([, slot], at) => $$(`.grid > .${slot}, .made-nets > .${slot}`).forEach((cell) => show(cell, !out.net.has(at))));
      main.style.setProperty("--columns", Math.max(1, nets.length - nets.filter((_, at) => out.net.has(at)).length));
      photos.forEach(([, photo], at) => {
        show(photo, !out.photo.has(at));
        const link = $$(".bar a").find((link) => link.hash.slice(1) === photo.id);
        if (link) show(link, !out.photo.has(at));
      });
      const hidden = new Set(methods.filter((_, at) => out.method.has(at)).map(([, key]) => key));
      $$(".method").forEach((method) => show(method, !hidden.has(method.dataset.method)));
      const unasked = new Set(classes.filter((_, at) => out.class.has(at)).map(([title]) => title));
      $$(".row[data-class]").forEach((row) => show(row, !unasked.has(row.dataset.class)));
    });
    $("#view-all").addEventListener("click", () => {
      state.clear();
      $$("figure.cell").forEach((figure) => figure.style.removeProperty("--over"));
      address.set("", "");
    });
  }
