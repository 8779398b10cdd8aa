  // Saves a figure as PNG and a table as CSV.
  const title = document.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "report";
  const save = (blob, name) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  // Copies of the page's other elements that the clone refers to.
  const needed = (element) => {
    const ids = new Map();
    const collect = (part) => {
      for (const user of [part, ...$$("*", part)]) {
        for (const text of [user.getAttribute("href"), user.getAttribute("filter"), user.getAttribute("fill")]) {
          const id = /^(?:url\()?#([^)]+)\)?$/.exec(text ?? "")?.[1];
          const found = id && !ids.has(id) && document.getElementById(id);
          if (found && found instanceof SVGElement) {
            ids.set(id, found.cloneNode(true));
            collect(found);
          }
        }
      }
    };
    collect(element);
    return [...ids.values()];
  };
  const toPng = (element, heading, scale = 2) => new Promise((resolve, reject) => {
    const box = element.getBoundingClientRect();
    const [margin, above] = [16, heading ? 48 : 0];
    const [width, height] = [Math.ceil(box.width) + 2 * margin, Math.ceil(box.height) + 2 * margin + above];
    const svg = document.createElementNS(SVG, "svg");
    Object.entries({ width, height, class: "saved" }).forEach(([name, value]) => svg.setAttribute(name, value));
    const style = document.createElementNS(SVG, "style");
    style.textContent = $$("style").map((sheet) => sheet.textContent).join("\n");
    const defs = document.createElementNS(SVG, "defs");
    defs.append(...needed(element));
    const room = document.createElementNS(SVG, "foreignObject");
    Object.entries({ width: "100%", height: "100%" }).forEach(([name, value]) => room.setAttribute(name, value));
    const body = document.createElement("body");
    body.style.cssText = `box-sizing:border-box;width:${width}px;height:${height}px;padding:${margin}px;--over:${getComputedStyle(element).getPropertyValue("--over")};--columns:${getComputedStyle(element).getPropertyValue("--columns")}`;
    const clone = element.cloneNode(true);
    $$(".tools, .tool, .walk", clone).forEach((part) => part.remove());
    const head = Object.assign(document.createElement("b"), { textContent: heading });
    head.style.cssText = `display:block;height:${above}px;overflow:hidden`;
    body.append(head, clone);
    room.append(body);
    svg.append(style, defs, room);
    const image = new Image();
    image.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the SVG could not be drawn"))), "image/png");
    };
    image.onerror = () => reject(new Error("the SVG could not be drawn"));
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  });
  const toCsv = (table) => $$("tr", table).map((row) => [...row.cells].map((cell) => {
    const clone = cell.cloneNode(true);
    $$("title, i[aria-hidden]", clone).forEach((part) => part.remove());
    const text = clone.textContent.trim().replace(/\s+/g, " ");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",")).join("\r\n");
  for (const [at, table] of $$("main table").entries()) {
    const name = table.caption?.textContent ?? table.closest("[aria-label]")?.getAttribute("aria-label") ?? "";
    const button = Object.assign(document.createElement("button"), { type: "button", className: "tool csv", textContent: "CSV" });
    button.setAttribute("aria-label", `${words.csv}: ${name.trim()}`);
    button.addEventListener("click", () => save(new Blob([`\ufeff${toCsv(table)}\r\n`], { type: "text/csv" }), `${title}-table-${at + 1}.csv`));
    const holder = table.closest(".scroll") ?? table;
    const box = Object.assign(document.createElement("div"), { className: "tabled" });
    holder.replaceWith(box);
    box.append(holder, button);
  }
