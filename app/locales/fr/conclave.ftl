### Ce que dit le client, en français : vouvoiement, typographie française.

app-name = Conclave
language-name = Français
menu-language = Langue
menu-theme = Apparence
theme-system = Comme le système
theme-dark = Sombre
theme-light = Claire
theme-contrast = Contraste élevé
action-back = Retour
action-cancel = Annuler
action-close = Fermer
action-dismiss = Masquer

## Accueil
home-title = Des visioconférences que seuls les participants voient et entendent
home-lead = Le son, l’image et les noms sont scellés sur cet appareil. Le serveur qui les transporte ne peut pas les ouvrir.
home-start-title = Démarrer une visioconférence
home-start-text = Vous obtenez un lien à envoyer aux autres.
home-start = Démarrer
home-join-title = Rejoindre avec un lien
home-join-text = Collez le lien que vous avez reçu.
home-link = Lien de la visioconférence
home-link-placeholder = conclave://…
home-join = Rejoindre
home-recent = Visioconférences récentes
home-recent-empty = Les visioconférences où vous entrez apparaissent ici.
home-recent-join = Rejoindre
home-recent-join-name = Rejoindre à nouveau : { $title }
home-recent-forget = Oublier : { $title }
home-recent-title = Visioconférence sur { $host }
home-navigation = Conclave

link-not-a-link = Ce n’est pas un lien de visioconférence. Un lien commence par conclave:// et se copie en entier depuis l’invitation.
link-truncated = La fin de ce lien manque. Copiez-le en entier ou redemandez-le.
link-version = Ce lien vient d’une autre version de Conclave. Mettez à jour Conclave ici ou là-bas.
link-host = Ce lien ne dit pas à quel serveur s’adresser. Redemandez-le.
link-damaged = Ce lien a été modifié en chemin. Redemandez-le.

ago-now = à l’instant
ago-minutes = { $count ->
    [one] il y a { $count } minute
   *[other] il y a { $count } minutes
}
ago-hours = { $count ->
    [one] il y a { $count } heure
   *[other] il y a { $count } heures
}
ago-days = { $count ->
    [one] hier
   *[other] il y a { $count } jours
}

## Avant d’entrer
preview-start-title = Démarrer une visioconférence
preview-join-title = Rejoindre la visioconférence
preview-on-host = sur { $host }
preview-here = sur cet ordinateur
preview-picture = Votre image
preview-camera-off = Votre caméra est éteinte
preview-camera-none = Aucune caméra n’a été trouvée
preview-camera-wait = Ouverture de la caméra…
preview-name = Votre nom
preview-name-placeholder = Tel que les autres le verront
preview-name-empty = Saisissez un nom, pour que les autres sachent qui demande à entrer.
preview-name-long = Un nom compte au plus 64 caractères.
preview-camera = Caméra
preview-microphone = Micro
preview-speaker = Haut-parleur
preview-level = Niveau du micro
preview-sealed = Votre nom voyage scellé : seules les personnes présentes le voient.
preview-start = Démarrer
preview-join = Demander à entrer
device-off = Désactivé
device-default = Choix du système
device-synthetic = Mire d’essai
device-file = Fichier : { $name }

## Entrer
enter-connecting = Recherche du serveur…
enter-approaching = Le serveur a répondu. Demande d’accès à la visioconférence…
enter-knocking = Vous avez demandé à entrer. Quelqu’un doit vous ouvrir de l’intérieur.
enter-text = Personne ne vous voit ni ne vous entend encore.
enter-cancel = Annuler

## Visioconférence
meeting-title = Visioconférence
meeting-bar = Commandes de la visioconférence
meeting-stage = Participants
meeting-status = Visioconférence
meeting-people-count = { $count ->
    [one] { $count } personne
   *[other] { $count } personnes
}
meeting-alone = Il n’y a que vous ici. Envoyez le lien aux personnes que vous souhaitez rencontrer.
meeting-copy-link = Copier le lien
meeting-mute-name = Couper le micro
meeting-mute-on = Micro
meeting-mute-off = Micro coupé
meeting-mute-none = Pas de micro
meeting-camera-name = Caméra
meeting-camera-on = Caméra
meeting-camera-off = Caméra éteinte
meeting-share = Partager l’écran
meeting-share-stop = Arrêter le partage
meeting-people = Participants
meeting-leave = Quitter
meeting-leave-name = Quitter la visioconférence
meeting-choose-microphone = Choisir le micro et le haut-parleur
meeting-choose-camera = Choisir la caméra
meeting-full-screen = Plein écran
meeting-notices = Avis
meeting-notices-empty = Rien à signaler.
meeting-sharing-you = Vous partagez votre écran. Toutes les personnes présentes le voient.
meeting-talk = Vous parlez tant que la barre d’espace est enfoncée

tile-you = { $name }, vous
tile-organiser = organisateur
tile-muted = micro coupé
tile-no-microphone = sans micro
tile-speaking = parle
tile-camera-on = caméra allumée
tile-camera-off = caméra éteinte
tile-screen = Écran de { $name }

## Participants
people-title = Participants
people-organiser = Organisateur
people-remove = Exclure { $name }
people-remove-title = Exclure { $name } ?
people-remove-text = { $name } sort aussitôt et ne peut plus rien entendre ni voir. Les clés changent pour toutes les autres personnes.
people-remove-confirm = Exclure
people-device = Appareil { $key }
people-invite = Copier le lien d’invitation
people-invite-text = Qui possède le lien peut demander à entrer.

## Verrou
lock-open = Pas encore fermée
lock-closed = Fermée
lock-verified = Fermée et vérifiée
lock-attention = À comparer de nouveau
lock-button = Sécurité : { $state }
lock-title = Est-elle vraiment fermée ?
lock-closed-text = { $count ->
    [one] Seule la personne de la liste détient les clés.
   *[other] Seules les { $count } personnes de la liste détiennent les clés.
}
lock-open-text = Les clés sont en cours de négociation. Rien n’est envoyé d’ici là.
lock-verified-text = Vous avez comparé les mots avec les autres : personne ne s’est glissé entre vous.
lock-attention-text = Quelqu’un est entré ou sorti depuis votre comparaison. Les clés sont nouvelles, les mots aussi.
lock-words = Mots de vérification
lock-words-text = Lisez-les à voix haute. Si les autres voient les mêmes mots, personne ne s’est glissé entre vous.
lock-confirm = Les mots sont les mêmes
lock-confirmed = Mots comparés
lock-epoch = Clés changées { $count ->
    [one] { $count } fois
   *[other] { $count } fois
}
lock-suite = Suite cryptographique { $suite }

## Annonces aux outils d’assistance
said-joined = { $name } a rejoint la visioconférence
said-left = { $name } a quitté la visioconférence
said-joined-many = { $count } personnes ont rejoint la visioconférence
said-left-many = { $count } personnes ont quitté la visioconférence
said-muted = Votre micro est coupé
said-unmuted = Votre micro n’est plus coupé
said-removed = Exclusion de { $name }

## Avis : quoi, de qui cela vient, que faire
notice-region = Avis
notice-details = { $detail }
fault-here = Cet ordinateur
fault-network = Le réseau
fault-server = Le serveur
fault-link = L’invitation
fault-peer = Un autre participant
notice-no-camera = Aucune caméra n’a été trouvée
    .advice = Branchez-en une ou continuez sans image : les autres voient vos initiales.
notice-camera-taken = Un autre programme utilise la caméra
    .advice = Fermez ce programme, puis rallumez la caméra.
notice-camera-lost = La caméra s’est arrêtée
    .advice = Elle a été débranchée ou est en panne. Rebranchez-la ou choisissez-en une autre.
notice-no-sound = Aucun appareil audio
    .advice = Vous n’entendez rien et personne ne vous entend. Branchez un casque, puis choisissez-le près du bouton du micro.
notice-no-microphone = Le micro n’a pas pu être ouvert
    .advice = Vous entendez les autres, ils ne vous entendent pas. Choisissez un autre micro.
notice-no-speaker = Le haut-parleur n’a pas pu être ouvert
    .advice = Les autres vous entendent, vous ne les entendez pas. Choisissez un autre haut-parleur.
notice-sound-lost = Un appareil audio a été débranché
    .advice = Rebranchez-le ou choisissez-en un autre près du bouton du micro.
notice-bad-file = Un fichier ne peut pas être lu
    .advice = Il est introuvable, endommagé ou d’un format que Conclave ne connaît pas. Choisissez un autre fichier.
notice-no-screen = L’écran ne peut pas être partagé
    .advice = Le système ne l’a pas permis. Vérifiez les autorisations de cette session.
notice-still-waiting = Personne n’a encore répondu
    .advice = Votre demande est entre les mains des personnes présentes. Patientez ou joignez-les autrement.
notice-nobody-admits = Personne à l’intérieur ne peut vous ouvrir
    .advice = L’organisateur est sorti. Demandez-lui de revenir.
notice-overloaded = Cet ordinateur est trop lent pour ce qu’il envoie
    .advice = Votre image part en plus petit. Fermez d’autres programmes pour l’améliorer.
notice-peer-unreadable = L’image d’un participant ne peut pas être montrée
    .advice = Ce qui arrive ne s’ouvre pas. Si cela dure, cette personne devrait sortir et revenir.
notice-refused = Cela n’a pas fonctionné
    .advice = La visioconférence était occupée. Réessayez dans un instant.
notice-no-gpu = Les images sont dessinées sans carte graphique
    .advice = Aucun pilote graphique utilisable n’a été trouvé. Les grandes visioconférences seront plus lentes.
notice-link-copied = Lien copié
    .advice = Ne l’envoyez qu’aux personnes que vous souhaitez rencontrer : il permet de demander à entrer.

## Pourquoi une visioconférence est finie
ended-title = La visioconférence est finie pour vous
ended-home = Retour à l’accueil
ended-again = Réessayer
ended-left = Vous avez quitté la visioconférence
    .advice = Les autres continuent.
ended-removed = L’organisateur a mis fin à votre participation
    .advice = Vous ne pouvez plus ni entendre ni voir la visioconférence. En cas d’erreur, demandez à l’organisateur.
ended-refused = Votre demande d’entrée a été refusée
    .advice = Quelqu’un à l’intérieur a répondu non. Joignez l’organisateur autrement.
ended-unattended = Personne n’a pu vous ouvrir
    .advice = L’organisateur est sorti. Demandez-lui de revenir, puis réessayez.
ended-no-meeting = Cette visioconférence n’existe plus
    .advice = Elle est finie ou le lien est faux. Demandez un nouveau lien.
ended-unreachable = Le serveur ne répond pas
    .advice = Vérifiez votre réseau. S’il fonctionne, le serveur est peut-être arrêté ou bloqué par ce réseau.
ended-certificate = Le serveur n’est pas celui que le lien désigne
    .advice = Quelqu’un s’est peut-être glissé entre vous, ou le serveur a été réinstallé. N’insistez pas ; demandez un nouveau lien.
ended-version = Le serveur parle une autre version
    .advice = Mettez Conclave à jour ou demandez la mise à jour du serveur.
ended-server-silent = Le serveur a cessé de répondre
    .advice = Il reviendra peut-être dans un instant. Réessayez.
ended-full = La visioconférence est complète
    .advice = Réessayez quand quelqu’un sera sorti ou demandez plus de place à qui gère le serveur.
ended-draining = Le serveur est en cours d’arrêt
    .advice = Il est sans doute mis à jour. Réessayez dans quelques minutes.
ended-server = Le serveur a commis une erreur
    .advice = La connexion a été fermée par prudence. Réessayez ; si cela dure, prévenez qui gère le serveur.
ended-forged = Les clés ne sont pas celles que le lien désigne
    .advice = Quelqu’un s’est peut-être glissé entre vous. Rien n’a été envoyé. Demandez un nouveau lien par une autre voie.
ended-here = Quelque chose a échoué sur cet ordinateur
    .advice = Réessayez. Si cela dure, relancez Conclave.
